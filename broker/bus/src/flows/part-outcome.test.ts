import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';

import { encodeOutcomes, outcomeOf } from './part-outcome.ts';
import type { PartOutcome } from './part-outcome.ts';

function answered(data: string | Uint8Array | undefined, datacontenttype?: string): PartOutcome {
  const attributes = { specversion: '1.0', id: '1', source: '/s', type: 't', datacontenttype };
  return { outcome: 'succeeded', event: makeEvent(attributes, data === undefined ? undefined : Buffer.from(data)) };
}

const encoded = (part: PartOutcome) => encodeOutcomes('branch', [['b', part]]).toString();

describe('what came of a branch', () => {
  const head = '{"branch":"b","outcome":"succeeded"';

  test('stands as it came, to the byte, when it is JSON', () => {
    const text = '{ "b": 1.50, "a": [1e3] }';
    for (const type of ['application/json', 'application/problem+json', 'text/json; charset=utf-8', undefined])
      assert.equal(encoded(answered(text, type)), `[${head},"data":${text}}]`, type);
  });

  test('stands as text when it is text', () => {
    assert.equal(
      encoded(answered('a "b"\n', 'text/plain')),
      `[${head},"datacontenttype":"text/plain","data":"a \\"b\\"\\n"}]`,
    );
  });

  test('stands as base64 when it is something else, or calls itself JSON and is not', () => {
    const bytes = Uint8Array.of(0, 255, 1);
    const base64 = Buffer.from(bytes).toString('base64');
    assert.equal(
      encoded(answered(bytes, 'image/png')),
      `[${head},"datacontenttype":"image/png","data_base64":"${base64}"}]`,
    );
    assert.equal(encoded(answered(bytes)), `[${head},"data_base64":"${base64}"}]`);
    const broken = Buffer.from('{"a":').toString('base64');
    assert.equal(
      encoded(answered('{"a":', 'application/json')),
      `[${head},"datacontenttype":"application/json","data_base64":"${broken}"}]`,
    );
  });

  test('is told without data when there are none', () => {
    assert.equal(encoded(answered(undefined)), `[${head}}]`);
    assert.equal(encoded({ outcome: 'empty' }), '[{"branch":"b","outcome":"empty"}]');
    assert.equal(encoded({ outcome: 'skipped' }), '[{"branch":"b","outcome":"skipped"}]');
  });

  test('is told with its reason when it failed', () => {
    assert.equal(
      encoded({ outcome: 'failed', reason: 'said "no"' }),
      '[{"branch":"b","outcome":"failed","reason":"said \\"no\\""}]',
    );
  });

  test('of several is told in their order, items by their number', () => {
    const both = encodeOutcomes('item', [
      [0, { outcome: 'empty' }],
      [1, answered('1')],
    ]);
    assert.deepEqual(JSON.parse(both.toString()), [
      { item: 0, outcome: 'empty' },
      { item: 1, outcome: 'succeeded', data: 1 },
    ]);
  });

  test('is that its filter did not let the event pass, when the service that filters had no answer', () => {
    assert.deepEqual(outcomeOf({ outcome: 'silent', route: 'parallel/default/p/b/filter' }), { outcome: 'skipped' });
    assert.deepEqual(outcomeOf({ outcome: 'silent', route: 'parallel/default/p/b' }), { outcome: 'empty' });
    assert.deepEqual(outcomeOf({ outcome: 'passed' }), { outcome: 'skipped' });
    assert.deepEqual(outcomeOf({ outcome: 'failed', route: 'r', reason: 'why' }), {
      outcome: 'failed',
      reason: 'r: why',
    });
  });
});
