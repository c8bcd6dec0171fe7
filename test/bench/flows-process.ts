// One subject of the benchmark of flows, by name as the first argument; tells its cost and ends.
import { makeEvent } from '@millrace/event/event';
import type { Handler } from '@millrace/event/handler';

import { startBus } from '../support/bus.ts';

export type FlowSubject =
  | 'one trigger'
  | 'five triggers'
  | 'one step'
  | 'five steps'
  | 'ten replies'
  | 'join of ten'
  | 'one transform';

/** Microseconds of CPU of the process, and of time, for each event. */
export interface FlowCost {
  readonly cpu: number;
  readonly wall: number;
}

const ROUNDS = 4;
const WARM_UPS = 2;
const EVENTS = 5_000;
const AT_ONCE = 100;
const DATA = Buffer.from(JSON.stringify({ text: 'x'.repeat(1_000) }));

const service = (name: string) => `
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: ${name} }
spec: { template: { spec: { containers: [{ image: ${name} }] } } }`;
const toService = (name: string) => `{ ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: ${name} } }`;
const trigger = (index: number) => `
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: t${index} }
spec:
  broker: default
  filters: [{ exact: { type: bench.${index} } }]
  subscriber: ${toService(`f${index}`)}`;
const sequence = (steps: readonly string[]) => `
apiVersion: flows.knative.dev/v1
kind: Sequence
metadata: { name: flow }
spec: { steps: [${steps.join(', ')}] }`;
const parallel = (annotations: string) => `
apiVersion: flows.knative.dev/v1
kind: Parallel
metadata: { name: flow, annotations: ${annotations} }
spec:
  branches: [${numbers(10)
    .map((index) => `{ subscriber: ${toService(`f${index}`)} }`)
    .join(', ')}]
  reply: { ref: { apiVersion: messaging.knative.dev/v1, kind: InMemoryChannel, name: end } }
---
apiVersion: messaging.knative.dev/v1
kind: InMemoryChannel
metadata: { name: end }`;
const transform = `
apiVersion: eventing.knative.dev/v1alpha1
kind: EventTransform
metadata: { name: f0 }
spec: { jsonata: { expression: '$merge([$, {"type": "made"}])' } }`;

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const stepsTo = (count: number) => numbers(count).map((index) => toService(`f${index}`));

interface Subject {
  readonly manifests: readonly string[];
  readonly topic: string;
  /** The topic where it ends, and how many entries there for each event. */
  readonly end: string;
  readonly each: number;
}

const flow = (kind: string) => ({ topic: `${kind}/default/flow`, end: `results/${kind}/default/flow`, each: 1 });
const triggers = (count: number): Subject => ({
  manifests: numbers(count).map(trigger),
  topic: 'broker/default/default',
  end: 'broker/default/default',
  each: count,
});
const steps = (count: number): Subject => ({
  ...flow('sequence'),
  manifests: [sequence(stepsTo(count))],
  topic: 'sequence/default/flow/f0',
});

const SUBJECTS: Record<FlowSubject, Subject> = {
  'one trigger': triggers(1),
  'five triggers': triggers(5),
  'one step': steps(1),
  'five steps': steps(5),
  'ten replies': { ...flow('parallel'), manifests: [parallel('{}')], end: 'channel/default/end', each: 10 },
  'join of ten': {
    ...flow('parallel'),
    manifests: [parallel('{ millrace.dev/join: all }')],
    end: 'channel/default/end',
  },
  'one transform': {
    ...steps(1),
    manifests: [
      sequence(['{ ref: { apiVersion: eventing.knative.dev/v1alpha1, kind: EventTransform, name: f0 } }']),
      transform,
    ],
  },
};

/** A function that answers at once with an event that the next Trigger wants. */
function answering(index: number): Handler {
  const type = `bench.${index + 1}`;
  return async (event) => ({ status: 200, event: { ...event, type } });
}

const { manifests, topic, end, each } = SUBJECTS[process.argv[2] as FlowSubject];
const bus = await startBus({
  functions: {
    start: ({ service: name }) => ({
      handler: answering(Number(name.slice(1))),
      request: () => Promise.reject(new Error('not in this benchmark')),
      room: () => Infinity,
      onRoom: () => () => {},
      warm() {},
      change() {},
      status: () => ({ instances: 1, inFlight: 0, waiting: 0, state: 'running', reason: '', message: '', notes: [] }),
      async drain() {},
    }),
  },
});
await bus.apply([...manifests, ...numbers(10).map((index) => service(`f${index}`))].join('\n---'));

const costs: FlowCost[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  const cost = await measure();
  if (round >= WARM_UPS) costs.push(cost);
}
await bus[Symbol.asyncDispose]();
const mean = (of: (cost: FlowCost) => number) => costs.reduce((sum, it) => sum + of(it), 0) / costs.length;
process.send!({ cpu: mean((it) => it.cpu), wall: mean((it) => it.wall) } satisfies FlowCost);
process.disconnect();

/** Lets so many events through, some at once, and waits for the last of what comes of them. */
async function measure(): Promise<FlowCost> {
  const { gate, store } = bus.bus;
  const startedAt = performance.now();
  const before = process.cpuUsage();
  let entered = 0;
  let ended = 0;
  let after = store.log.end(end);
  const isBroker = topic === end;
  const enter = async (count: number) => {
    const arrivals = numbers(count).map((index) => ({ event: eventOf(entered + index) }));
    entered += count;
    await gate.enter(topic, arrivals);
  };
  await enter(AT_ONCE);
  const { signal } = new AbortController();
  while (ended < EVENTS * each) {
    const entries = await store.log.read(end, after, 1_000, signal);
    after = entries.at(-1)!.position;
    const fresh = isBroker ? entries.filter((it) => it.cause !== undefined).length : entries.length;
    ended += fresh;
    const open = entered - Math.floor(ended / each);
    if (open < AT_ONCE && entered < EVENTS) await enter(Math.min(AT_ONCE - open, EVENTS - entered));
  }
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / EVENTS, wall: ((performance.now() - startedAt) * 1_000) / EVENTS };
}

function eventOf(id: number) {
  const attributes = { specversion: '1.0', id: String(id), source: '/bench', type: 'bench.0' };
  return makeEvent({ ...attributes, datacontenttype: 'application/json' }, DATA);
}
