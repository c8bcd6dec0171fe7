import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { saidSeed } from '../support/chance.ts';
import { scenarios } from './scenario.ts';
import type { Answering, RoutePlan, Scenario, Step } from './scenario.ts';
import { simulate } from './simulation.ts';

// A failure prints the smallest scenario that fails; MILLRACE_SEED repeats the run. CI always takes the same scenarios, so
// that a change is judged by what it changes; everywhere else each run looks at others.
const inCi = process.env['CI'] === 'true';
const seed = (saidSeed() ?? (inCi ? 1 : Date.now() % 2 ** 31)) | 0;
const runs = inCi ? 500 : 100;

describe('the dispatcher, whatever happens', () => {
  test('delivers everything once, when it never ends without a drain', async (context) => {
    context.diagnostic(`MILLRACE_SEED=${seed}`);
    await fc.assert(fc.asyncProperty(scenarios({ crashes: false }), run), { seed, numRuns: runs });
  });

  test('loses nothing, when it ends without a drain', async (context) => {
    context.diagnostic(`MILLRACE_SEED=${seed}`);
    await fc.assert(fc.asyncProperty(scenarios({ crashes: true }), run), { seed: seed + 1, numRuns: runs });
  });

  test('ends a circle of replies with a dead letter', async () => {
    const circle = planOf({ answers: [{ kind: 'reply', afterMs: 1, event: EVENT }] }, { replyTopic: 0 });
    const store = await simulate(scenarioOf([circle], [append(1)], { mostHops: Number.POSITIVE_INFINITY }));
    const letters = store.deadLetters.list({ limit: 10 });
    assert.deepEqual(
      letters.map(({ entry, failure }) => [entry.hops, failure.status]),
      [[255, 400]],
    );
    assert.equal(store.history.counts().entries, 256);
  });
});

// What random scenarios have found, in the least that shows it.
describe('the dispatcher', () => {
  test('keeps for a route that stops with an attempt under way what comes before that is over', async () => {
    await simulate(scenarioOf([planOf(takesAfter(60))], [append(1), remove(0), append(1)]));
  });

  test('keeps for a route that is not there for one life of the process what comes in that life', async () => {
    const routes = [planOf(takesAfter(0)), planOf(takesAfter(0))];
    const restart: Step = { kind: 'restart', abrupt: false, without: 0 };
    await simulate(scenarioOf(routes, [restart, append(1), pass(4_000), append(1)]));
  });

  test('keeps, when it crashes, what a route had under way that was being stopped', async () => {
    const routes = [planOf(takesAfter(0)), planOf(takesAfter(4_000), { timeoutMs: 9_000 })];
    const crash: Step = { kind: 'restart', abrupt: true, without: undefined };
    await simulate(scenarioOf(routes, [pass(1_500), append(1), remove(1), append(1), pass(1_500), crash]));
  });

  test('makes each attempt once, when several fail at the same time and are tried again at once', async () => {
    const answers: Answering[] = [{ kind: 'hang' }, { kind: 'hang' }, { kind: 'hang' }, { kind: 'take', afterMs: 0 }];
    await simulate(scenarioOf([planOf({ answers }, { retry: 4, concurrency: 3, timeoutMs: 5 })], [append(3)]));
  });

  test('gives an ordered route what is redriven before, and not beside, what came later under the same key', async () => {
    const answers: Answering[] = [{ kind: 'refuse', afterMs: 10, status: 400 }];
    const plan = planOf({ answers }, { ordered: true, concurrency: 2 });
    await simulate(scenarioOf([plan], [append(1), pass(50), append(1), { kind: 'redrive' }]));
  });

  test('gives an ordered route one after the other what is redriven together', async () => {
    const answers: Answering[] = [{ kind: 'refuse', afterMs: 10, status: 400 }];
    const plan = planOf({ answers }, { ordered: true, concurrency: 2 });
    await simulate(scenarioOf([plan], [append(2), pass(50), { kind: 'redrive' }]));
  });

  test('lets an ordered delivery finish its attempts before what is redriven meanwhile under its key', async () => {
    const plan = planOf({ answers: [{ kind: 'break', afterMs: 0 }] }, { ordered: true, concurrency: 1, retry: 1 });
    const redrive = { kind: 'redrive' } as const;
    await simulate({ ...scenarioOf([plan], [append(2), pass(300), redrive, redrive]), latencies: [1, 0, 0] });
  });
});

const EVENT = { type: 'a', key: undefined };

async function run(scenario: Scenario): Promise<void> {
  await simulate(scenario);
}

function append(count: number): Step {
  return { kind: 'append', topic: 0, events: Array.from({ length: count }, () => EVENT) };
}

function pass(milliseconds: number): Step {
  return { kind: 'pass', milliseconds };
}

function remove(route: number): Step {
  return { kind: 'remove', route };
}

function takesAfter(afterMs: number): RoutePlan['target'] {
  return { answers: [{ kind: 'take', afterMs }] };
}

function planOf(target: RoutePlan['target'], more: Partial<RoutePlan> = {}): RoutePlan {
  return {
    topic: 0,
    wants: 'everything',
    target,
    replyTopic: undefined,
    deadLetter: undefined,
    ordered: false,
    concurrency: 1,
    retry: 0,
    backoffPolicy: 'linear',
    backoffDelayMs: 0,
    backoffMaxMs: undefined,
    retryAfterMaxMs: undefined,
    timeoutMs: 1_000,
    ...more,
  };
}

function scenarioOf(routes: readonly RoutePlan[], steps: readonly Step[], more: Partial<Scenario> = {}): Scenario {
  return { routes, steps, latencies: [0], chances: [0], ...more };
}
