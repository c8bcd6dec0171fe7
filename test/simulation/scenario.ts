import * as fc from 'fast-check';

import type { TriggerFilter } from '@millrace/bus/filter/trigger-filter';

/** One simulated run as plain data, so that a run that fails can be shrunk, printed and kept. */
export interface Scenario {
  readonly routes: readonly RoutePlan[];
  readonly steps: readonly Step[];
  /** Milliseconds that the writes to the store take, one after the other and over again. */
  readonly latencies: readonly number[];
  /** What jitter is drawn from, the same way. From 0 up to 1. */
  readonly chances: readonly number[];
  /** After so many hops all is taken and nothing answered, so that a run comes to its end. Default: 3. */
  readonly mostHops?: number;
}

export interface RoutePlan {
  readonly topic: number;
  readonly wants: Wants;
  /** A topic is another one, with a higher number: so nothing goes in a circle but replies. */
  readonly target: { readonly answers: readonly Answering[] } | { readonly topic: number };
  readonly replyTopic: number | undefined;
  readonly deadLetter: { readonly answers: readonly Answering[] } | { readonly topic: number } | undefined;
  readonly ordered: boolean;
  readonly concurrency: number;
  readonly retry: number;
  readonly backoffPolicy: 'linear' | 'exponential';
  readonly backoffDelayMs: number;
  readonly backoffMaxMs: number | undefined;
  readonly retryAfterMaxMs: number | undefined;
  readonly timeoutMs: number;
}

/** What a subscriber makes of an attempt, and after how many milliseconds. */
export type Answering =
  | { readonly kind: 'take'; readonly afterMs: number }
  | { readonly kind: 'reply'; readonly afterMs: number; readonly event: Appended }
  | { readonly kind: 'refuse'; readonly afterMs: number; readonly status: number; readonly retryAfterMs?: number }
  | { readonly kind: 'break'; readonly afterMs: number }
  | { readonly kind: 'hang' };

export interface Appended {
  readonly type: string;
  readonly key: string | undefined;
}

export type Step =
  | { readonly kind: 'append'; readonly topic: number; readonly events: readonly Appended[] }
  | { readonly kind: 'pass'; readonly milliseconds: number }
  /** Begins to stop the route, and does not wait for it. */
  | { readonly kind: 'remove'; readonly route: number }
  | { readonly kind: 'declare'; readonly route: number }
  | { readonly kind: 'redrive' }
  /** Ends the dispatcher, in peace or as a crash does, and starts another on the same store without one of its routes. */
  | { readonly kind: 'restart'; readonly abrupt: boolean; readonly without: number | undefined };

/** The filters of the scenarios, each beside its meaning in plain words. */
export const WANTS = {
  everything: { filter: {}, wants: () => true },
  a: { filter: { filters: [{ exact: { type: 'a' } }] }, wants: (type) => type === 'a' },
  notB: { filter: { filters: [{ not: { prefix: { type: 'b' } } }] }, wants: (type) => type !== 'b' },
  aOrC: { filter: { filter: {}, filters: [{ cesql: "type IN ('a', 'c')" }] }, wants: (type) => type !== 'b' },
  b: { filter: { filter: { attributes: { type: 'b' } } }, wants: (type) => type === 'b' },
} satisfies Record<string, { readonly filter: TriggerFilter; readonly wants: (type: string) => boolean }>;

export type Wants = keyof typeof WANTS;

const TOPICS = 3;
const MOST_ROUTES = 4;

const topic = fc.integer({ min: 0, max: TOPICS - 1 });
const event = fc.record({
  type: fc.constantFrom('a', 'b', 'c'),
  key: fc.constantFrom(undefined, 'k1', 'k2'),
});
const afterMs = fc.constantFrom(0, 0, 1, 7, 60, 400);
const answering: fc.Arbitrary<Answering> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const), afterMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reply' as const), afterMs, event }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('refuse' as const),
      afterMs,
      status: fc.constantFrom(400, 404, 408, 409, 410, 413, 422, 500, 502),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('refuse' as const),
      afterMs,
      status: fc.constantFrom(429, 503, 500),
      retryAfterMs: fc.constantFrom(0, 1_000, 9_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('break' as const), afterMs }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'hang' as const }) },
);
const subscriber = fc.record({ answers: fc.array(answering, { minLength: 1, maxLength: 5 }) });

const routePlan: fc.Arbitrary<RoutePlan> = topic.chain((at) =>
  fc.record({
    topic: fc.constant(at),
    wants: fc.constantFrom(...(Object.keys(WANTS) as Wants[])),
    target:
      at === TOPICS - 1
        ? subscriber
        : fc.oneof(
            { weight: 5, arbitrary: subscriber },
            { weight: 1, arbitrary: fc.record({ topic: fc.integer({ min: at + 1, max: TOPICS - 1 }) }) },
          ),
    replyTopic: fc.option(topic, { nil: undefined }),
    deadLetter: fc.option(fc.oneof(subscriber, fc.record({ topic })), { nil: undefined }),
    ordered: fc.boolean(),
    concurrency: fc.integer({ min: 1, max: 5 }),
    retry: fc.integer({ min: 0, max: 4 }),
    backoffPolicy: fc.constantFrom('linear' as const, 'exponential' as const),
    backoffDelayMs: fc.constantFrom(0, 1, 30, 200, 1_000),
    backoffMaxMs: fc.option(fc.constantFrom(100, 2_500), { nil: undefined }),
    retryAfterMaxMs: fc.option(fc.constantFrom(0, 2_000), { nil: undefined }),
    timeoutMs: fc.constantFrom(5, 100, 1_500),
  }),
);

const route = fc.integer({ min: 0, max: MOST_ROUTES - 1 });
const append: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('append' as const),
  topic,
  events: fc.array(event, { minLength: 1, maxLength: 6 }),
});
const gentle = [
  { weight: 6, arbitrary: append },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      milliseconds: fc.constantFrom(1, 5, 50, 300, 1_000, 4_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), route }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('declare' as const), route }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'redrive' as const }) },
];
const restart = (abrupt: fc.Arbitrary<boolean>) =>
  fc.record({ kind: fc.constant('restart' as const), abrupt, without: fc.option(route, { nil: undefined }) });

/** Any scenario; with `crashes`, restarts may come without a drain. */
export function scenarios({ crashes }: { readonly crashes: boolean }): fc.Arbitrary<Scenario> {
  const steps: fc.WeightedArbitrary<Step>[] = [
    ...gentle,
    { weight: 1, arbitrary: restart(crashes ? fc.boolean() : fc.constant(false)) },
  ];
  return fc.record({
    routes: fc.array(routePlan, { minLength: 1, maxLength: MOST_ROUTES }),
    steps: fc.array(fc.oneof(...steps), { minLength: 1, maxLength: 16 }),
    latencies: fc.array(fc.constantFrom(0, 0, 1, 3, 20), { minLength: 1, maxLength: 4 }),
    chances: fc.array(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { minLength: 1, maxLength: 4 }),
  });
}
