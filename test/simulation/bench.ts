import assert from 'node:assert/strict';

import { openMemoryStore } from '@millrace/bus/log/memory';
import type { Store } from '@millrace/bus/log/store';
import { compilePlan } from '@millrace/bus/plan/compile';
import type { Plan } from '@millrace/bus/plan/plan';
import { makeEvent } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';
import type { Answer, HandlerContext } from '@millrace/event/handler';
import { unavailable } from '@millrace/functions/unavailable';
import { readManifest } from '@millrace/resources/manifest';

import { service } from '../support/flows.ts';
import { startFlows } from './flows-life.ts';
import type { FlowsLife } from './flows-life.ts';
import { startTime } from './time.ts';
import type { Time } from './time.ts';

/** A call of a function that is under way. */
export interface Call {
  readonly name: string;
  readonly data: unknown;
  readonly context: HandlerContext;
  aborted: Error | undefined;
  reply(data: unknown): void;
  /** Fails for good. */
  refuse(): void;
  /** Fails, and is worth another attempt. */
  break(): void;
}

/** Flows at work, and what a test does with them. */
export interface Bench {
  readonly time: Time;
  readonly store: Store;
  /** Calls that nobody has answered yet, the oldest first. */
  readonly calls: Call[];
  readonly life: FlowsLife;
  /** Resolves when an event with these data is taken, at the first door whose path begins so, and nothing more happens now. */
  enter(data: unknown, path?: string, attributes?: Readonly<Record<string, string>>): Promise<void>;
  /** Data of what has entered a topic. */
  in(topic: string): unknown[];
  /** Ends all as a crash does, and begins again, with this plan if it is another. */
  crash(next?: Plan): Promise<void>;
  apply(plan: Plan): Promise<void>;
}

/** These manifests and the functions `a`, `b` and `c` as a plan. */
export function manifests(yaml: string): Plan {
  const functions = ['a', 'b', 'c'].map((it) => service(it)).join('');
  const { declared, faults } = readManifest(functions + yaml, 'test.yaml');
  assert.deepEqual(faults, []);
  return compilePlan(declared, 'http://test');
}

/** Flows at work in simulated time, with functions that answer when the test says so. */
export async function startBench(yaml: string, { latency = 0 } = {}): Promise<Bench> {
  const time = startTime([0]);
  const store = openMemoryStore();
  const calls: Call[] = [];
  let plan = manifests(yaml);
  const born = () =>
    startFlows({
      store,
      environment: time.environment,
      latency: () => latency,
      functions: {
        start: ({ service: name }) => ({
          ...unavailable('', ''),
          handler: (event, context) => {
            const called = Promise.withResolvers<Answer>();
            const call: Call = {
              name,
              data: JSON.parse(Buffer.from(event.data!).toString()),
              context,
              aborted: undefined,
              reply: (data) => called.resolve({ status: 200, event: eventOf(data) }),
              refuse: () => called.reject(new HandlerFailure('no', { status: 400 })),
              break: () => called.reject(new HandlerFailure('not now', { status: 503 })),
            };
            context.onAbort!((reason) => {
              call.aborted = reason;
            });
            calls.push(call);
            return called.promise;
          },
          change() {},
        }),
      },
    });
  let life = born();
  const apply = async (next: Plan) => {
    plan = next;
    await time.until(life.apply(plan));
    await time.still();
  };
  await apply(plan);
  return {
    time,
    store,
    calls,
    get life() {
      return life;
    },
    async enter(data, path = '/flows/', attributes = {}) {
      const inlet = life.inlets.values().find((it) => it.path.startsWith(path));
      await time.until(life.gate.enter(inlet!.topic, [{ event: eventOf(data, attributes) }]));
      await time.still();
    },
    in: (topic) =>
      store.history
        .entries({ limit: 100_000, topic })
        .toReversed()
        .map(({ event }) => JSON.parse(Buffer.from(event.data!).toString())),
    async crash(next = plan) {
      life.end();
      calls.length = 0;
      life = born();
      await apply(next);
    },
    apply,
  };
}

/** An event with these data. */
export function eventOf(data: unknown, others: Readonly<Record<string, string>> = {}): CloudEvent {
  const attributes = { specversion: '1.0', id: '1', source: '/s', type: 't', datacontenttype: 'application/json' };
  return makeEvent({ ...attributes, ...others }, Buffer.from(JSON.stringify(data)));
}
