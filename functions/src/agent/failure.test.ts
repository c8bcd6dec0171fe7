import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { APIConnectionTimeoutError, APIError, APIUserAbortError } from '@anthropic-ai/sdk';

import { factsOf } from './failure.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');

describe('what an error of the SDK means', () => {
  for (const [headers, wait] of [
    [{ 'retry-after': '2' }, 2000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': 'Tue, 24 Nov 2026 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Tue, 24 Nov 2026 11:00:00 GMT' }, 0],
    [{ 'retry-after-ms': '1500', 'retry-after': '2' }, 1500],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ] as const) {
    test(`waits ${wait} ms after ${JSON.stringify(headers)}`, () => {
      const error = APIError.generate(429, { error: { message: 'slowly' } }, undefined, new Headers(headers));
      assert.equal(factsOf(error, [], NOW).retryAfterMs, wait);
    });
  }

  test('names the request, and carries the error when it has no secret', () => {
    const headers = new Headers({ 'request-id': 'req_1' });
    const error = APIError.generate(400, { error: { message: 'wrong' } }, undefined, headers);
    const { message, cause } = factsOf(error, ['secret']);
    assert.equal(message, 'the model did not answer: 400 wrong (request req_1)');
    assert.equal(cause, error);
  });

  test('is 504 when it took too long or was cancelled, 500 when the SDK refuses by itself', () => {
    assert.equal(factsOf(new APIConnectionTimeoutError()).status, 504);
    assert.equal(factsOf(new APIUserAbortError()).status, 504);
    assert.deepEqual(factsOf(new TypeError('secret is no header'), ['secret']), {
      message: 'the model did not answer: *** is no header',
      status: 500,
      retryAfterMs: undefined,
      cause: undefined,
    });
  });
});
