import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { RunDelivery, RunEntry, RunView } from '@millrace/bus/admin/run-views';

import { bytesText, costText, runtime } from './run-measures.ts';
import { runPage } from './run-page.ts';
import { clock } from './time.ts';

const BEGAN = '2026-01-01T00:00:00.000Z';
const NOW = Date.parse(BEGAN) + 65_000;

function entry(
  position: number,
  type: string,
  deliveries: readonly RunDelivery[] = [],
  more: Partial<RunEntry> = {},
): RunEntry {
  return {
    position,
    topic: 'broker/default/default',
    arrivedAt: BEGAN,
    id: String(position),
    type,
    source: '/shop',
    hops: 0,
    ...(position === 1 ? {} : { cause: { position: 1, route: 'r' } }),
    size: 340,
    deliveries,
    ...more,
  };
}

function delivery(name: string, state: RunDelivery['state'], more: Partial<RunDelivery> = {}): RunDelivery {
  const step = { flow: 'parallel/default/p', name };
  return {
    route: `parallel/default/p/${name}`,
    step,
    matched: true,
    reason: '',
    state,
    attempts: [],
    replies: [],
    ...more,
  };
}

function attempt(number: number, outcome: string, message?: string) {
  const startedAt = new Date(Date.parse(BEGAN) + number * 1_000).toISOString();
  return { attempt: number, stage: 'subscriber', outcome, startedAt, duration: 250, message };
}

function run(root: RunEntry, more: Partial<RunView> = {}): RunView {
  const { deliveries: _deliveries, hops: _hops, usage: _usage, ...head } = root;
  return {
    ...head,
    flow: 'parallel/default/p',
    status: 'running',
    entries: 2,
    deliveries: 4,
    attempts: 3,
    duration: 65_000,
    root,
    ...more,
  };
}

const drawnOf = (page: string) => page.slice(page.indexOf('  1  '));

describe('the page of a run', () => {
  test('says of each delivery how it is, since when, what failed, and what comes next', () => {
    const dueAt = new Date(NOW + 5_000).toISOString();
    const root = entry(1, 'asked', [
      delivery('vip', 'none', { reason: 'type: expected "vip", got "asked"', matched: false }),
      delivery('slow', 'pending'),
      delivery('flaky', 'waiting', {
        attempts: [attempt(1, 'retrying', 'answered 503'), attempt(2, 'retrying', 'answered 500')],
        next: { attempt: 3, dueAt, stage: 'subscriber' },
      }),
      delivery('good', 'delivered', { attempts: [attempt(1, 'delivered')], replies: [entry(2, 'answer')] }),
      delivery('off', 'cancelled', { attempts: [attempt(1, 'cancelled', 'was cancelled')] }),
      { ...delivery('', 'none'), route: 'trigger/default/other', step: undefined },
    ]);
    assert.equal(
      runPage(run(root), NOW),
      [
        'Run:     1',
        'Flow:    parallel/default/p',
        'Status:  running',
        `Began:   ${BEGAN} (65s ago)`,
        '  1  asked  from /shop  340 B',
        '  ├─ · vip  not taken  type: expected "vip", got "asked"',
        '  ├─ … slow  pending  for 65s',
        `  ├─ … flaky  waiting for a retry  2 attempts  1.25s  attempt 3 in 5s, at ${clock(dueAt)}`,
        '  │  ├─ attempt 1: answered 503',
        '  │  └─ attempt 2: answered 500',
        '  ├─ ✓ good  delivered  1 attempt  250ms  reply 340 B',
        '  │  └─ 2  answer  340 B',
        '  └─ - off  cancelled  1 attempt  250ms',
        'Total:  65s, 2 events, 4 deliveries, 3 attempts',
        '',
      ].join('\n'),
    );
  });

  test('counts many replies, and says when not all is shown', () => {
    const replies = [entry(2, 'a'), entry(3, 'b', [], { outcomeOf: 'map/default/m' })];
    const root = entry(1, 'asked', [delivery('map', 'delivered', { attempts: [attempt(1, 'delivered')], replies })]);
    const page = runPage(
      run(root, { truncated: true, usage: { events: 1, inputTokens: 1_200, outputTokens: 3 } }),
      NOW,
    );
    assert.equal(
      drawnOf(page),
      [
        '  1  asked  from /shop  340 B',
        '  └─ ✓ map  delivered  1 attempt  250ms  2 replies 680 B',
        '     ├─ 2  a  340 B',
        '     └─ 3  b  outcome of map/default/m  340 B',
        'Total:  65s, 2 events, 4 deliveries, 3 attempts, 1,200/3 tokens in/out',
        'It is larger than what is shown: the numbers are the least.',
        '',
      ].join('\n'),
    );
  });

  test('shows the last failures only, and nothing that a terminal obeys', () => {
    const attempts = [1, 2, 3, 4].map((number) => attempt(number, 'retrying', `no\u001b[31m ${number}\n`));
    const root = entry(1, 'as\u0007ked', [delivery('st\u202eep', 'dead', { attempts })]);
    const page = drawnOf(runPage(run(root), NOW));
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(page, /[\u0007\u001b\u202e]/);
    assert.deepEqual(
      [...page.matchAll(/attempt (\d): no/g)].map(([, number]) => number),
      ['2', '3', '4'],
    );
    assert.match(page, /see: .*dlq show 1 --route parallel\/default\/p\/st\\u202eep\n/);
  });
});

test('measures are short', () => {
  assert.deepEqual([1_023, 1_536, 3 * 1_048_576].map(bytesText), ['1023 B', '1.5 KiB', '3.0 MiB']);
  assert.deepEqual([12, 1_250, 200_000].map(runtime), ['12ms', '1.25s', '3m20s']);
  const tokens = { events: 1, inputTokens: 1, outputTokens: 1 };
  assert.deepEqual(
    [
      costText(tokens),
      costText({ ...tokens, costUsd: 0.0042 }),
      costText({ ...tokens, costUsd: 12.345, isLeast: true }),
    ],
    ['-', '$0.0042', '$12.35+'],
  );
});
