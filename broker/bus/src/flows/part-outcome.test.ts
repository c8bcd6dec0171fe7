import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';

import { encodeOutcomes, outcomeOf } from './part-outcome.ts';
import type { PartOutcome } from './part-outcome.ts';

/** An answer, and what the log has of it. */
interface Answered {
  readonly part: PartOutcome;
  readonly event?: CloudEvent | undefined;
}

function answered(data: string | Uint8Array | undefined, datacontenttype?: string): Answered {
  const attributes = { specversion: '1.0', id: '1', source: '/s', type: 't', datacontenttype };
  const event = makeEvent(attributes, data === undefined ? undefined : Buffer.from(data));
  return { part: { outcome: 'succeeded', position: 7 }, event };
}

const unanswered = (part: PartOutcome): Answered => ({ part });
const MAX_BYTES = 1_000;
const encoded = ({ part, event }: Answered, maxBytes = MAX_BYTES) =>
  encodeOutcomes('branch', [['b', part]], {
    eventAt: (position) => (position === 7 ? event : undefined),
    maxBytes,
  }).toString();

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
    assert.equal(encoded(unanswered({ outcome: 'empty' })), '[{"branch":"b","outcome":"empty"}]');
    assert.equal(encoded(unanswered({ outcome: 'skipped' })), '[{"branch":"b","outcome":"skipped"}]');
  });

  test('is told with its reason when it failed', () => {
    assert.equal(
      encoded(unanswered({ outcome: 'failed', reason: 'said "no"' })),
      '[{"branch":"b","outcome":"failed","reason":"said \\"no\\""}]',
    );
  });

  test('of several is told in their order, items by their number', () => {
    const parts = [
      [0, { outcome: 'empty' }],
      [1, answered('1').part],
    ] as const;
    const both = encodeOutcomes('item', parts, { eventAt: () => answered('1').event, maxBytes: MAX_BYTES });
    assert.deepEqual(JSON.parse(both.toString()), [
      { item: 0, outcome: 'empty' },
      { item: 1, outcome: 'succeeded', data: 1 },
    ]);
  });

  test('is told as failed when its answer is gone from the log', () => {
    assert.equal(
      encoded(unanswered(answered('1').part)),
      '[{"branch":"b","outcome":"failed","reason":"its answer is not stored any more"}]',
    );
  });

  test('is an empty list of no parts', () => {
    assert.equal(encodeOutcomes('item', [], { eventAt: () => undefined, maxBytes: 2 }).toString(), '[]');
  });

  test('is refused for good as soon as it is longer than an event may be, and no more of it is read', () => {
    const told = encoded(answered('"1234"'));
    assert.equal(encoded(answered('"1234"'), told.length), told);
    const read: number[] = [];
    const parts = [1, 2, 3].map((it) => [it, { outcome: 'succeeded', position: it }] as const);
    const eventAt = (position: number) => {
      read.push(position);
      return answered(`"${'x'.repeat(50)}"`).event;
    };
    assert.throws(
      () => encodeOutcomes('item', parts, { eventAt, maxBytes: 120 }),
      (error) => error instanceof HandlerFailure && error.status === 413 && /longer than 120 bytes/.test(error.message),
    );
    assert.deepEqual(read, [1, 2]);
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
