import type { CloudEvent } from '@millrace/event/event';
import { attributeReader } from './attribute.ts';
import { parts } from './cesql/tree.ts';
import { readCondition } from './condition.ts';
import type { Condition, Term, TextCondition } from './condition.ts';
import { show } from './fault.ts';
import { compileTerm } from './filter.ts';
import type { FilterSpec } from './filter.ts';

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
  /** What the event has, as text for people: JSON, at most 80 characters, or `nothing`. */
  readonly got: string;
  readonly message: string;
  readonly children: readonly Explanation[];
}

/** Explains what {@link compileFilter} would say of the event. Throws a {@link FilterFault} where that does. */
export function explainFilter(spec: FilterSpec, event: CloudEvent): Explanation {
  return explainCondition(readCondition(spec, ''), event);
}

/** Explains what has been read. Every branch is evaluated, also those that a filter would not come to. */
export function explainCondition(condition: Condition | undefined, event: CloudEvent): Explanation {
  if (condition === undefined) {
    return branch('none', '', true, 'any event', 'an event', 'there is no filter, so every event passes', []);
  }
  switch (condition.dialect) {
    case 'all':
    case 'any':
      return explainGroup(condition.dialect, condition.path, condition.children, event);
    case 'not': {
      const child = explainCondition(condition.child, event);
      const message = child.matched ? 'what must not match matches' : 'what must not match does not match';
      return branch(
        'not',
        condition.path,
        !child.matched,
        'no match',
        child.matched ? 'a match' : 'no match',
        message,
        [child],
      );
    }
    case 'cesql':
      return explainCesql(condition, event);
    default:
      return explainTerms(condition, event);
  }
}

function explainGroup(
  dialect: 'all' | 'any',
  path: string,
  conditions: readonly Condition[],
  event: CloudEvent,
): Explanation {
  const children = conditions.map((condition) => explainCondition(condition, event));
  const count = children.filter((child) => child.matched).length;
  const matched = dialect === 'all' ? count === children.length : count > 0;
  const expected = dialect === 'all' ? 'all to match' : 'at least one to match';
  return branch(dialect, path, matched, expected, `${count}`, `${count} of ${children.length} match`, children);
}

function explainTerms(condition: TextCondition, event: CloudEvent): Explanation {
  const { dialect, path, terms } = condition;
  const children = terms.map((term) => explainTerm(dialect, term, event));
  const [first] = children;
  if (children.length === 1 && first !== undefined) return first;
  const count = children.filter((child) => child.matched).length;
  const message = `${count} of ${children.length} attributes match`;
  return branch(dialect, path, count === children.length, 'all attributes to match', `${count}`, message, children);
}

const EXPECTED: Record<TextCondition['dialect'], (value: string) => string> = {
  exact: (value) => show(value),
  prefix: (value) => `text that begins with ${show(value)}`,
  suffix: (value) => `text that ends with ${show(value)}`,
  attributes: (value) => (value === '' ? 'any value' : show(value)),
};

function explainTerm(dialect: TextCondition['dialect'], term: Term, event: CloudEvent): Explanation {
  const { attribute, path } = term;
  const matched = compileTerm(dialect, term)(event);
  const expected = EXPECTED[dialect](term.value);
  const got = show(attributeReader(attribute)(event));
  const message = matched ? `${attribute} is ${got}` : `${attribute}: expected ${expected}, got ${got}`;
  return { dialect, path, matched, attribute, expected, got, message, children: [] };
}

function explainCesql(condition: Extract<Condition, { dialect: 'cesql' }>, event: CloudEvent): Explanation {
  const { path, cesql } = condition;
  const { value, error } = cesql.evaluate(event);
  const names = new Set<string>();
  for (const { tree } of parts(cesql.tree))
    if (tree.kind === 'attribute' || tree.kind === 'exists') names.add(tree.name);
  const values = [...names].map((name) => `${name} is ${show(attributeReader(name)(event))}`);
  const result =
    error === undefined
      ? `the expression is ${show(value)}`
      : `${error.kind} at line ${error.position.line}, column ${error.position.column}: ${error.message}`;
  const matched = value === true && error === undefined;
  const message = [result, ...values].join('; ');
  return branch('cesql', path, matched, 'true', error === undefined ? show(value) : error.kind, message, []);
}

function branch(
  dialect: Explanation['dialect'],
  path: string,
  matched: boolean,
  expected: string,
  got: string,
  message: string,
  children: readonly Explanation[],
): Explanation {
  return { dialect, path, matched, attribute: undefined, expected, got, message, children };
}
