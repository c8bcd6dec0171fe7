import { triggerRequirements } from '@millrace/bus/filter/trigger-filter';
import type { Declared } from '@millrace/resources/manifest';

/** An event for people to try. */
export interface Example {
  readonly type: string;
  /** JSON. */
  readonly data: string;
}

/** On a Trigger: the JSON data of an event that it wants. */
const EXAMPLE_ANNOTATION = 'millrace.dev/example';

/** The event of the first Trigger that has an example; else one of the first type that a Trigger asks for. */
export function exampleOf(declared: readonly Declared[]): Example {
  const triggers = declared.map((it) => it.resource).filter((it) => it.kind === 'Trigger');
  const shown = triggers.find((it) => it.metadata.annotations?.[EXAMPLE_ANNOTATION] !== undefined) ?? triggers[0];
  const type = shown === undefined ? undefined : triggerRequirements(shown.spec).type;
  return {
    type: type ?? 'com.example.hello',
    data: shown?.metadata.annotations?.[EXAMPLE_ANNOTATION]?.trim() ?? '{"hello":"world"}',
  };
}
