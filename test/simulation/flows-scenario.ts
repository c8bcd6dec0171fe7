import * as fc from 'fast-check';

/** One simulated run of flows as plain data, so that a run that fails can be shrunk, printed and kept. */
export interface FlowScenario {
  /** What each function makes of an event, by turns: which of them depends on the event alone. */
  readonly functions: readonly (readonly Doing[])[];
  readonly flows: readonly FlowPlan[];
  readonly steps: readonly FlowStep[];
  /** Milliseconds that the writes to the store take, one after the other and over again. */
  readonly latencies: readonly number[];
}

/** What a function does, after so many milliseconds. */
export type Doing =
  | { readonly kind: 'reply'; readonly afterMs: number }
  | { readonly kind: 'nothing'; readonly afterMs: number }
  /** Fails so often with 503, then replies. */
  | { readonly kind: 'fail'; readonly afterMs: number; readonly times: number }
  /** Fails for good, as an answer does that is no event. */
  | { readonly kind: 'refuse'; readonly afterMs: number };

/** A function by its number, or another flow: only one with a higher number, so nothing goes in a circle. */
export type To = { readonly fn: number } | { readonly flow: number };

export interface StepPlan {
  readonly to: To;
  readonly retry: number;
  /** Dead letters go to a channel that nobody reads. */
  readonly sink: boolean;
}

/** A flow, and what it is edited into. The kind, the join and the filters of branches stay. */
export type FlowPlan =
  | { readonly kind: 'Sequence'; readonly reply: boolean; readonly variants: readonly (readonly StepPlan[])[] }
  | {
      readonly kind: 'Parallel';
      readonly reply: boolean;
      readonly variants: readonly (readonly StepPlan[])[];
      readonly join: JoinPlan | undefined;
      /** A branch is filtered by what it calls: by the type of the event, by a service, or not. */
      readonly filters: readonly ('type' | 'service' | undefined)[];
    }
  | { readonly kind: 'Choice'; readonly reply: boolean; readonly variants: readonly (readonly StepPlan[])[] }
  | {
      readonly kind: 'Map';
      readonly reply: boolean;
      readonly variants: readonly (readonly StepPlan[])[];
      readonly maxConcurrency: number;
      readonly toleratedFailures: number;
    };

export interface JoinPlan {
  readonly wanted: 'all' | 'first' | '2';
  readonly failures: 'complete' | 'fail';
  readonly deadline: 'PT0.5S' | 'PT1H';
}

export interface Incoming {
  readonly type: 'a' | 'b';
  /** Items in its list, for a Map. */
  readonly items: number;
}

export type FlowStep =
  /** Into a flow by its number; one more than there are: into a channel; two more: to a broker. */
  | { readonly kind: 'enter'; readonly door: number; readonly events: readonly Incoming[] }
  | { readonly kind: 'pass'; readonly milliseconds: number }
  /** Begins to change a flow to one of its variants, or to delete it, and does not wait for it. */
  | { readonly kind: 'edit'; readonly flow: number; readonly variant: number | undefined }
  /** Ends the process, in peace or as a crash does, and starts another on the same store. */
  | { readonly kind: 'restart'; readonly abrupt: boolean; readonly edit: Edit | undefined };

/** A change that is made while nothing runs. */
export interface Edit {
  readonly flow: number;
  readonly variant: number | undefined;
}

export const FUNCTIONS = 5;
export const MOST_FLOWS = 4;
const VARIANTS = 2;

const afterMs = fc.constantFrom(0, 0, 1, 20, 300, 3_000);
const doing: fc.Arbitrary<Doing> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('reply' as const), afterMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('nothing' as const), afterMs }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('fail' as const), afterMs, times: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refuse' as const), afterMs }) },
);
const step: fc.Arbitrary<StepPlan> = fc.record({
  to: fc.oneof(
    { weight: 4, arbitrary: fc.record({ fn: fc.integer({ min: 0, max: FUNCTIONS - 1 }) }) },
    { weight: 1, arbitrary: fc.record({ flow: fc.integer({ min: 0, max: MOST_FLOWS - 1 }) }) },
  ),
  retry: fc.integer({ min: 0, max: 2 }),
  sink: fc.boolean(),
});
const variantsOf = (maxLength: number) =>
  fc.array(fc.array(step, { minLength: 1, maxLength }), { minLength: VARIANTS, maxLength: VARIANTS });
const reply = fc.boolean();
const flow: fc.Arbitrary<FlowPlan> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('Sequence' as const), reply, variants: variantsOf(4) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('Parallel' as const),
      reply,
      variants: variantsOf(3),
      join: fc.option(
        fc.record({
          wanted: fc.constantFrom('all' as const, 'all' as const, 'first' as const, '2' as const),
          failures: fc.constantFrom('complete' as const, 'fail' as const),
          deadline: fc.constantFrom('PT0.5S' as const, 'PT1H' as const, 'PT1H' as const),
        }),
        { nil: undefined, freq: 4 },
      ),
      filters: fc.array(fc.constantFrom(undefined, undefined, 'type' as const, 'service' as const), {
        minLength: FUNCTIONS,
        maxLength: FUNCTIONS,
      }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('Choice' as const), reply, variants: variantsOf(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('Map' as const),
      reply,
      variants: variantsOf(1),
      maxConcurrency: fc.integer({ min: 0, max: 3 }),
      toleratedFailures: fc.integer({ min: 0, max: 2 }),
    }),
  },
);

const numberOfFlow = fc.integer({ min: 0, max: MOST_FLOWS - 1 });
const variant = fc.option(fc.integer({ min: 0, max: VARIANTS - 1 }), { nil: undefined, freq: 3 });
const edit = fc.record({ flow: numberOfFlow, variant });
const incoming: fc.Arbitrary<Incoming> = fc.record({
  type: fc.constantFrom('a' as const, 'b' as const),
  items: fc.integer({ min: 0, max: 5 }),
});

export interface Kinds {
  readonly crashes: boolean;
  readonly edits: boolean;
}

/** Any scenario; with `crashes`, restarts may come without a drain, with `edits` flows are changed on the way. */
export function flowScenarios({ crashes, edits }: Kinds): fc.Arbitrary<FlowScenario> {
  const abrupt = crashes ? fc.boolean() : fc.constant(false);
  const steps: fc.WeightedArbitrary<FlowStep>[] = [
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('enter' as const),
        door: fc.integer({ min: 0, max: MOST_FLOWS + 1 }),
        events: fc.array(incoming, { minLength: 1, maxLength: 3 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('pass' as const),
        milliseconds: fc.constantFrom(1, 5, 50, 300, 1_000, 4_000),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('restart' as const),
        abrupt,
        edit: edits ? fc.option(edit, { nil: undefined }) : fc.constant(undefined),
      }),
    },
  ];
  if (edits) {
    steps.push({
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('edit' as const), flow: numberOfFlow, variant }),
    });
  }
  return fc.record({
    functions: fc.array(fc.array(doing, { minLength: 1, maxLength: 3 }), {
      minLength: FUNCTIONS,
      maxLength: FUNCTIONS,
    }),
    flows: fc.array(flow, { minLength: 1, maxLength: MOST_FLOWS }),
    steps: fc.array(fc.oneof(...steps), { minLength: 1, maxLength: 14 }),
    latencies: fc.array(fc.constantFrom(0, 0, 1, 3, 20), { minLength: 1, maxLength: 4 }),
  });
}
