import type { CloudEvent } from '@millrace/event/event';
import { readAttributes, readList } from './condition.ts';
import type { Condition } from './condition.ts';
import { explainCondition } from './explain.ts';
import type { Explanation } from './explain.ts';
import { compileCondition } from './filter.ts';
import type { Filter } from './filter.ts';
import { requirementsOf } from './requirements.ts';
import type { Requirements } from './requirements.ts';

/** The two places in which a Trigger says what it wants. */
export interface TriggerFilter {
  readonly filter?: { readonly attributes?: Readonly<Record<string, string>> };
  readonly filters?: readonly unknown[];
}

/**
 * Compiles what a Trigger asks for. `filters` that are not empty must all pass, and then `filter` counts for nothing,
 * not even its mistakes; else `filter.attributes` counts; with neither, every event passes.
 * Throws a {@link FilterFault} whose path begins with `filters[…]` or `filter.attributes`.
 *
 * In `filter.attributes` an empty value asks for any value that is not empty, and everything else is compared as it
 * is: an extension that is a number or a boolean equals no text. As Knative's multi-tenant broker has it, but an event
 * without `time` does not have one.
 */
export function compileTriggerFilter(trigger: TriggerFilter): Filter {
  return compileCondition(readTrigger(trigger));
}

/** What an event must have for the Trigger to want it; see {@link requirementsOf}. Throws as the compiling does. */
export function triggerRequirements(trigger: TriggerFilter): Requirements {
  return requirementsOf(readTrigger(trigger));
}

/** Why the Trigger wants the event or not. Throws as the compiling does. */
export function explainTriggerFilter(trigger: TriggerFilter, event: CloudEvent): Explanation {
  return explainCondition(readTrigger(trigger), event);
}

function readTrigger({ filter, filters }: TriggerFilter): Condition | undefined {
  // Null comes from manifests, whatever the types say.
  const none = !filters || (Array.isArray(filters) && filters.length === 0);
  return none ? readAttributes(filter?.attributes ?? {}, 'filter.attributes') : readList(filters, 'filters');
}
