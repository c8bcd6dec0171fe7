import type { CloudEvent } from '@millrace/event/event';
import { attributeReader, textReader } from './attribute.ts';
import { readCondition } from './condition.ts';
import type { Condition, Term, TextCondition } from './condition.ts';

export { FilterFault } from './fault.ts';

/**
 * A filter as it is declared, one dialect in each object (CloudEvents Subscriptions API 1.0 §3.2.4).
 * An object without any dialect (`{}`) is taken too, and lets everything pass.
 */
export type FilterSpec =
  | { readonly exact: Readonly<Record<string, string>> }
  | { readonly prefix: Readonly<Record<string, string>> }
  | { readonly suffix: Readonly<Record<string, string>> }
  | { readonly all: readonly FilterSpec[] }
  | { readonly any: readonly FilterSpec[] }
  | { readonly not: FilterSpec }
  | { readonly cesql: string };

/** Whether the event passes. Never throws, parses nothing, and makes no objects. */
export type Filter = (event: CloudEvent) => boolean;

/**
 * Compiles a filter into closures, once. Throws a {@link FilterFault} for what cannot be compiled; its path goes on
 * from `path`, the place of this filter in what declares it. Where Knative's broker and the specification differ:
 *
 * - empty values in exact, prefix and suffix, and empty lists in all and any, are refused as the specification says;
 * - an attribute that the event does not have fails, whatever is asked of it; numbers and booleans are compared as text;
 * - CESQL passes only on the Boolean true without an error.
 */
export function compileFilter(spec: FilterSpec, path = ''): Filter {
  return compileCondition(readCondition(spec, path));
}

/** Compiles what has been read; no condition lets everything pass. */
export function compileCondition(condition: Condition | undefined): Filter {
  if (condition === undefined) return () => true;
  switch (condition.dialect) {
    case 'all':
      return every(condition.children.map(compileCondition));
    case 'any':
      return some(condition.children.map(compileCondition));
    case 'not': {
      const child = compileCondition(condition.child);
      return (event) => !child(event);
    }
    case 'cesql':
      return condition.cesql.test;
    default: {
      const { dialect, terms } = condition;
      return every(terms.map((term) => compileTerm(dialect, term)));
    }
  }
}

/** Compiles one attribute of a text dialect. */
export function compileTerm(dialect: TextCondition['dialect'], { attribute, value }: Term): Filter {
  if (dialect === 'attributes') {
    // The old filter compares without casting: the number 5 never equals the text "5".
    const read = attributeReader(attribute);
    if (value !== '') return (event) => read(event) === value;
    return (event) => {
      const got = read(event);
      return got !== undefined && got !== '';
    };
  }
  const read = textReader(attribute);
  switch (dialect) {
    case 'exact':
      return (event) => read(event) === value;
    case 'prefix':
      return (event) => read(event)?.startsWith(value) ?? false;
    default:
      return (event) => read(event)?.endsWith(value) ?? false;
  }
}

function every(filters: readonly Filter[]): Filter {
  const [first] = filters;
  if (filters.length === 1 && first !== undefined) return first;
  return (event) => {
    for (const filter of filters) if (!filter(event)) return false;
    return true;
  };
}

function some(filters: readonly Filter[]): Filter {
  return (event) => {
    for (const filter of filters) if (filter(event)) return true;
    return false;
  };
}
