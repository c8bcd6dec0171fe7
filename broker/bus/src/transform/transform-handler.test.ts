import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';
import type { Answer, Handler, HandlerContext } from '@millrace/event/handler';

import { evaluatorForTests } from './evaluator.fixture.ts';
import { openEvaluator } from './evaluator.ts';
import { transformHandler } from './transform-handler.ts';
import type { TransformHandlerOptions } from './transform-handler.ts';

const evaluator = evaluatorForTests();

const eventOf = (type: string) => makeEvent({ specversion: '1.0', id: '1', source: '/orders', type }, undefined);
const typed = (type: string) => `$merge([$, {"type": type & "-${type}"}])`;
const context: HandlerContext = { signal: new AbortController().signal, headers: { traceparent: '00-a' }, attempt: 3 };

const handle = (options: Omit<TransformHandlerOptions, 'evaluator'>, event = eventOf('a')) =>
  transformHandler({ evaluator, ...options })(event, context);

/** A sink that keeps what it is given, and answers. */
function sinkOf(answer: Answer): { handler: Handler; got: [CloudEvent, HandlerContext][] } {
  const got: [CloudEvent, HandlerContext][] = [];
  return {
    got,
    handler(event, given) {
      got.push([event, given]);
      return Promise.resolve(answer);
    },
  };
}

describe('an EventTransform as a subscriber', () => {
  test('without a sink answers with the transformed event', async () => {
    assert.deepEqual(await handle({ expression: typed('b') }), { status: 200, event: eventOf('a-b') });
  });

  test('hands the transformed event to its sink, in the same context, and passes the answer on', async () => {
    const answer: Answer = { status: 202, event: eventOf('answer'), headers: { 'x-request-id': '7' } };
    const sink = sinkOf(answer);
    assert.deepEqual(await handle({ expression: typed('b'), sink: sink.handler }), answer);
    assert.deepEqual(sink.got, [[eventOf('a-b'), context]]);
  });

  test('transforms the answer of its sink', async () => {
    const { handler: sink } = sinkOf({ status: 202, event: eventOf('answer'), headers: { 'x-request-id': '7' } });
    assert.deepEqual(await handle({ expression: '$', sink, reply: { expression: typed('c') } }), {
      status: 202,
      event: eventOf('answer-c'),
      headers: { 'x-request-id': '7' },
    });
  });

  test('has nothing to transform when its sink answers without an event', async () => {
    const { handler: sink } = sinkOf({ status: 202 });
    assert.deepEqual(await handle({ expression: '$', sink, reply: { expression: typed('c') } }), { status: 202 });
  });

  test('discards the answer of its sink', async () => {
    const { handler: sink } = sinkOf({ status: 202, event: eventOf('answer') });
    assert.deepEqual(await handle({ expression: '$', sink, reply: 'discard' }), { status: 202 });
  });
});

describe('what fails again is not tried again', () => {
  const { handler: sink, got } = sinkOf({ status: 200, event: eventOf('answer') });
  for (const [what, options, message] of [
    ['an expression that fails', { expression: '$error("no customer")' }, /^the transformation failed: no customer/],
    [
      'an answer that is no event',
      { expression: '{"a": 1}' },
      /it made a reply that is not an event: it has no specversion/,
    ],
    [
      'something for the sink that is no event',
      { expression: '{"a": 1}', sink },
      /it made something for its sink that is not an event/,
    ],
    [
      'a reply that is no event',
      { expression: '$', sink, reply: { expression: '[1]' } },
      /it made a reply that is not an event/,
    ],
    ['a malformed event', { expression: '$merge([$, {"id": ""}])' }, /id: expected a non-empty string/],
  ] as const) {
    test(what, async () => {
      await assert.rejects(handle(options), (error) => {
        assert.ok(error instanceof HandlerFailure);
        assert.match(error.message, message);
        assert.equal(error.status, 422);
        assert.equal(Buffer.from(error.body!).toString(), error.message);
        return true;
      });
    });
  }

  test('and a sink was asked only where the event got that far', () => {
    assert.equal(got.length, 1);
  });
});

describe('what may pass is tried again', () => {
  test('no evaluator', async () => {
    const closed = openEvaluator({ maxBytes: 1_000 });
    await closed.close();
    await assert.rejects(transformHandler({ evaluator: closed, expression: '$' })(eventOf('a'), context), {
      status: 503,
    });
  });

  test('a failure of the sink, as the sink tells it', async () => {
    const failure = new HandlerFailure('answered 429', { status: 429, retryAfterMs: 2_000 });
    await assert.rejects(handle({ expression: '$', sink: () => Promise.reject(failure), reply: 'discard' }), failure);
  });

  test('an attempt whose time is over', async () => {
    const over = AbortSignal.abort(new Error('over'));
    await assert.rejects(
      transformHandler({ evaluator, expression: '$' })(eventOf('a'), { ...context, signal: over }),
      /^Error: over$/,
    );
  });
});
