import { readCondition } from './condition.ts';
import type { Condition } from './condition.ts';
import type { FilterSpec } from './filter.ts';

/** The exact `type` and `source` that an event must have for a filter to be able to pass. */
export interface Requirements {
  readonly type?: string;
  readonly source?: string;
}

/**
 * What {@link FilterIndex} may sort a filter by: necessary, never sufficient. Found in `exact` at the top and
 * through `all`. Throws a {@link FilterFault} for what cannot be compiled.
 */
export function requirements(spec: FilterSpec): Requirements {
  return requirementsOf(readCondition(spec, ''));
}

/** The requirements of what has been read; `filter.attributes` has them too. */
export function requirementsOf(condition: Condition | undefined): Requirements {
  const type = requiredValue(condition, 'type');
  const source = requiredValue(condition, 'source');
  return { ...(type !== undefined && { type }), ...(source !== undefined && { source }) };
}

/** Where two different values are required, no event passes, and either of them will do. */
function requiredValue(condition: Condition | undefined, attribute: string): string | undefined {
  switch (condition?.dialect) {
    case 'exact':
      return condition.terms.find((term) => term.attribute === attribute)?.value;
    case 'attributes':
      return condition.terms.find((term) => term.attribute === attribute && term.value !== '')?.value;
    case 'all':
      for (const child of condition.children) {
        const value = requiredValue(child, attribute);
        if (value !== undefined) return value;
      }
      return undefined;
    default:
      return undefined;
  }
}
