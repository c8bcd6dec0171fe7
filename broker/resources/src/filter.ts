import { Type } from 'typebox';
import { complaint, show } from './fault.ts';
import { Fields, Texts } from './schema.ts';
import type { Rule } from './schema.ts';

/** The dialects of the Subscriptions API, as Knative names them. */
const DIALECTS = ['exact', 'prefix', 'suffix', 'all', 'any', 'not', 'cesql'] as const;

/**
 * One filter: exactly one of the dialects (none, as Knative takes it too, lets everything pass). `exact`, `prefix` and `suffix` hold attribute names to non-empty texts, all
 * of which must match; `all` and `any` hold at least one filter; `cesql` holds an expression, which is compiled (and
 * refused when it cannot be) where filters are compiled.
 */
export interface Filter {
  exact?: Record<string, string>;
  prefix?: Record<string, string>;
  suffix?: Record<string, string>;
  all?: Filter[];
  any?: Filter[];
  not?: Filter;
  cesql?: string;
}

const ATTRIBUTE_NAME = {
  pattern: '^[a-z][a-z0-9]*$',
  expected: 'an attribute name: a lower-case letter, then lower-case letters and digits',
};

/** `spec.filter.attributes`: names to values; an empty value means "present". */
export const AttributesSchema = Texts({
  propertyNames: ATTRIBUTE_NAME,
  expected: 'an object of attribute names to texts',
});

const Matches = Type.Optional(
  Texts({
    minProperties: 1,
    propertyNames: ATTRIBUTE_NAME,
    // An empty value is ignored by one engine of Knative and passes everything in the other; the specification forbids it.
    additionalProperties: { type: 'string', minLength: 1, expected: 'a non-empty text' },
    expected: 'an object of at least one attribute name and its text',
  }),
);

const oneDialect: Rule<Record<string, unknown>> = (filter, path, tell) => {
  const used = DIALECTS.filter((dialect) => filter[dialect] !== undefined);
  if (used.length === 1) return;
  if (used.length === 0) return tell.receipt(path, `${path} has no dialect: it lets everything pass`);
  const text = 'multiple dialects found, filters can have only one dialect set';
  tell.fault(complaint(path, `exactly one of ${DIALECTS.join(', ')}`, used.join(' and '), { text }));
};

const Nested = { $ref: '#/$defs/Filter' };

/** The schema of one {@link Filter}; a schema that holds filters takes {@link FILTER_DEFINITIONS} as its `$defs`. */
export const FilterSchema = Type.Unsafe<Filter>(Nested);

/** What {@link FilterSchema} refers to. */
export const FILTER_DEFINITIONS = {
  Filter: Fields(
    {
      exact: Matches,
      prefix: Matches,
      suffix: Matches,
      all: Type.Optional(
        Type.Array(Type.Unsafe<Filter>(Nested), { minItems: 1, expected: 'a list of at least one filter' }),
      ),
      any: Type.Optional(
        Type.Array(Type.Unsafe<Filter>(Nested), { minItems: 1, expected: 'a list of at least one filter' }),
      ),
      not: Type.Optional(Type.Unsafe<Filter>(Nested)),
      cesql: Type.Optional(
        Type.String({ pattern: String.raw`\S`, expected: 'a CESQL expression', rule: plainExpression }),
      ),
    },
    { rule: oneDialect, expected: 'a filter' },
  ),
};

function plainExpression(text: string, path: string, tell: Parameters<Rule>[2]): void {
  // An expression is parsed by recursion further down; nobody writes one this long by hand.
  if (text.length > 16_384) tell.fault(complaint(path, 'at most 16384 characters', show('', text.length)));
}
