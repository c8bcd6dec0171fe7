import type { CloudEvent } from '@millrace/event/event';
import { attributeReader } from './attribute.ts';
import { readCondition } from './condition.ts';
import type { Condition, Term, TextCondition } from './condition.ts';
import { explainCesql } from './explain-cesql.ts';
import type { Explanation } from './explanation.ts';
import { show } from './fault.ts';
import { compileTerm } from './filter.ts';
import type { FilterSpec } from './filter.ts';

export type { Explanation } from './explanation.ts';

/** Explains what {@link compileFilter} would say of the event. Throws a {@link FilterFault} where that does. */
export function explainFilter(spec: FilterSpec, event: CloudEvent): Explanation {
  return explainCondition(readCondition(spec, ''), event);
}

/** Explains what has been read. Every branch is evaluated, also those that a filter would not come to. */
export function explainCondition(condition: Condition | undefined, event: CloudEvent): Explanation {
  if (condition === undefined) return NO_FILTER;
  switch (condition.dialect) {
    case 'all':
    case 'any': {
      const { dialect, path } = condition;
      const children = condition.children.map((child) => explainCondition(child, event));
      return explainGroup(dialect, path, dialect === 'all' ? children.length : 1, children);
    }
    case 'not':
      return explainNot(condition.path, explainCondition(condition.child, event));
    case 'cesql':
      return explainCesql(condition.path, condition.cesql, event);
    default:
      return explainTerms(condition, event);
  }
}

const NO_FILTER: Explanation = {
  dialect: 'none',
  path: '',
  matched: true,
  attribute: undefined,
  expected: 'any event',
  got: 'an event',
  message: 'there is no filter, so every event passes',
  children: [],
};

function explainGroup(
  dialect: Explanation['dialect'],
  path: string,
  wanted: number,
  children: readonly Explanation[],
): Explanation {
  const count = children.filter((child) => child.matched).length;
  return {
    dialect,
    path,
    matched: count >= wanted,
    attribute: undefined,
    expected: wanted === 1 ? 'at least 1 match' : `${wanted} matches`,
    got: `${count}`,
    message: `${count} of ${children.length} match`,
    children,
  };
}

function explainNot(path: string, child: Explanation): Explanation {
  const got = child.matched ? 'a match' : 'no match';
  const message = child.matched ? 'what must not match matches' : 'what must not match does not match';
  const matched = !child.matched;
  return { dialect: 'not', path, matched, attribute: undefined, expected: 'no match', got, message, children: [child] };
}

function explainTerms({ dialect, path, terms }: TextCondition, event: CloudEvent): Explanation {
  const children = terms.map((term) => explainTerm(dialect, term, event));
  const [first] = children;
  return children.length === 1 && first !== undefined ? first : explainGroup(dialect, path, children.length, children);
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
