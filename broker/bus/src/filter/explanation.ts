import type { LogicOperator } from './cesql/tree.ts';
import type { Condition } from './condition.ts';

/** Why a filter lets an event pass or not, for people: a tree with a sentence on every branch. */
export interface Explanation {
  /** `none` where there is no filter; `attributes` for the old `filter.attributes` of a Trigger. */
  readonly dialect: Condition['dialect'] | 'none';
  /** Where in the declaration, such as `filters[0].all[1].exact.type`. */
  readonly path: string;
  readonly matched: boolean;
  /** The one attribute that this branch looks at; undefined where it looks at none or several. */
  readonly attribute: string | undefined;
  /** What would have matched, as text for people. */
  readonly expected: string;
  /** What the event has, or how many matches there are, as text for people. */
  readonly got: string;
  readonly message: string;
  readonly children: readonly Explanation[];
  /** Of CESQL only. */
  readonly part?: CesqlPart | undefined;
}

/** What a branch of a CESQL expression is: the whole of it, or an operand of AND, OR, XOR or NOT. */
export interface CesqlPart {
  readonly expression: string;
  /** How it joins its children; undefined without. */
  readonly operator?: LogicOperator | 'NOT' | undefined;
  /** Whether its evaluation fails: then neither true nor false comes of what it is part of. */
  readonly failed: boolean;
  /** Whether it is the same for every event. */
  readonly constant: boolean;
}
