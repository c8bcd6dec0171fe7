import type { Explanation } from './explanation.ts';

/** One leaf of a filter that would have to come out differently. */
export interface Need {
  /** Where in the declaration. */
  readonly path: string;
  /** Whether it must match, or must not. */
  readonly matched: boolean;
  /** The attribute that it looks at; undefined for CESQL. */
  readonly attribute?: string | undefined;
  /** The part of a CESQL expression; undefined for the other dialects. */
  readonly expression?: string | undefined;
  /** A sentence for people: `type must be "a" (it is "b")`. */
  readonly message: string;
}

/** The fewest needs for a branch to match, and for it not to; undefined where no event gets it there. */
interface Ways {
  readonly yes: readonly Need[] | undefined;
  readonly no: readonly Need[] | undefined;
}

/** The same of a part of a CESQL expression, whose evaluation may also fail. */
interface PartWays extends Ways {
  readonly fails: readonly Need[] | undefined;
}

/**
 * The smallest set of leaves that would have to come out differently for the filter to let the event pass: empty when it
 * does, undefined when no event can pass. Each leaf is taken by itself: that two of them contradict each other is not seen.
 */
export function needsOf(explanation: Explanation): readonly Need[] | undefined {
  const { yes } = waysOf(explanation);
  if (yes === undefined) return undefined;
  return [...new Map(yes.map((need) => [`${need.message} ${need.matched}`, need])).values()];
}

function waysOf(explanation: Explanation): Ways {
  const { dialect, children } = explanation;
  if (dialect === 'cesql') {
    const { yes, no, fails } = waysOfPart(explanation);
    // For the filter, an error is as good as false.
    return { yes, no: fewest([no, fails]) };
  }
  if (dialect === 'none') return { yes: [], no: undefined };
  if (children.length === 0) return waysOfLeaf(explanation);
  const ways = children.map(waysOf);
  if (dialect === 'not') return { yes: ways[0]!.no, no: ways[0]!.yes };
  const isAny = dialect === 'any';
  const [each, one] = isAny ? (['no', 'yes'] as const) : (['yes', 'no'] as const);
  const all = together(ways.map((it) => it[each]));
  const least = fewest(ways.map((it) => it[one]));
  return isAny ? { yes: least, no: all } : { yes: all, no: least };
}

/** Evaluation goes from the left and ends at the first error, so what lies before the deciding operand counts too. */
function waysOfPart(explanation: Explanation): PartWays {
  const { operator, failed } = explanation.part!;
  const ways = explanation.children.map(waysOfPart);
  switch (operator) {
    case undefined:
      // Nobody is advised to make an operand fail that does not.
      return { ...waysOfLeaf(explanation), fails: failed ? [] : undefined };
    case 'NOT':
      return { ...ways[0]!, yes: ways[0]!.no, no: ways[0]!.yes };
    case 'AND': {
      const [yes, no, fails] = [
        together(ways.map((it) => it.yes)),
        ends(ways, 'yes', 'no'),
        ends(ways, 'yes', 'fails'),
      ];
      return { yes, no, fails };
    }
    case 'OR': {
      const [yes, no, fails] = [ends(ways, 'no', 'yes'), together(ways.map((it) => it.no)), ends(ways, 'no', 'fails')];
      return { yes, no, fails };
    }
    case 'XOR':
      return ways.reduce((before, after) => ({
        yes: fewest([together([before.yes, after.no]), together([before.no, after.yes])]),
        no: fewest([together([before.no, after.no]), together([before.yes, after.yes])]),
        fails: fewest([before.fails, together([fewest([before.yes, before.no]), after.fails])]),
      }));
  }
}

function waysOfLeaf(explanation: Explanation): Ways {
  const { matched, part } = explanation;
  const change = (to: boolean) => (part?.constant === true ? undefined : [needOf(explanation, to)]);
  return { yes: matched ? [] : change(true), no: matched || part?.failed === true ? change(false) : [] };
}

function needOf({ path, attribute, expected, got, message, part }: Explanation, matched: boolean): Need {
  if (part !== undefined) {
    const { expression } = part;
    return { path, matched, expression, message: `${expression} must be ${matched} (${message})` };
  }
  const has = got === 'nothing' ? 'the event has none' : `it is ${got}`;
  const must = matched
    ? `must be ${expected}`
    : expected === 'any value'
      ? 'must not be there'
      : `must not be ${expected}`;
  return { path, matched, attribute, message: `${attribute} ${must}${matched ? ` (${has})` : ''}` };
}

/** One operand ends it, and all before it pass. */
function ends(ways: readonly PartWays[], passes: 'yes' | 'no', end: keyof PartWays): Ways['yes'] {
  const before = (index: number) => ways.slice(0, index).map((it) => it[passes]);
  return fewest(ways.map((it, index) => together([...before(index), it[end]])));
}

function together(all: readonly Ways['yes'][]): Ways['yes'] {
  return all.every((it) => it !== undefined) ? all.flat() : undefined;
}

/** The first of those that need the least. */
function fewest(all: readonly Ways['yes'][]): Ways['yes'] {
  const possible = all.filter((it) => it !== undefined);
  return possible.toSorted((a, b) => a.length - b.length)[0];
}
