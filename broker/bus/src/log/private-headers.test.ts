import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ANSWER_HEADER, CALL_HEADER, ITEM_HEADER, withoutPrivate } from './private-headers.ts';

test('private headers go, the others stay', () => {
  const secret = { [CALL_HEADER]: 'a', [ANSWER_HEADER]: 'b', [ITEM_HEADER]: '3' };
  assert.deepEqual(withoutPrivate({ traceparent: '00-1-2-01', ...secret }), { traceparent: '00-1-2-01' });
  for (const name of Object.keys(secret)) assert.deepEqual(withoutPrivate({ [name]: 'x' }), {});
});

test('headers without private ones are not copied', () => {
  const headers = { traceparent: '00-1-2-01' };
  assert.equal(withoutPrivate(headers), headers);
  assert.equal(withoutPrivate(undefined), undefined);
});
