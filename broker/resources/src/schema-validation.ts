import { complaint, show } from './fault.ts';
import type { Metadata } from './metadata.ts';
import { join } from './path.ts';
import type { Rule } from './schema.ts';

/**
 * The annotation of a broker or channel that holds its events against the schemas of their EventTypes: `reject` refuses
 * what does not match, `dead-letter` takes it and delivers it to nobody but the dead letter sink. Without it nothing is
 * looked at.
 */
export const SCHEMA_VALIDATION = 'millrace.dev/schema-validation';

/** `disabled`: no EventTypes are made of what enters the broker or channel. */
export const EVENT_TYPES = 'millrace.dev/event-types';

const VALUES: Readonly<Record<string, readonly string[]>> = {
  [SCHEMA_VALIDATION]: ['reject', 'dead-letter'],
  [EVENT_TYPES]: ['enabled', 'disabled'],
};

/** How events are held against schemas; undefined: not at all. */
export function schemaValidationOf({ annotations }: Metadata): 'reject' | 'dead-letter' | undefined {
  return annotations?.[SCHEMA_VALIDATION] as 'reject' | 'dead-letter' | undefined;
}

/** For the resource as a whole: what its annotations about EventTypes may say. */
export const eventTypeAnnotationsRule: Rule<Record<string, unknown>> = (resource, _path, tell) => {
  const { annotations } = (resource['metadata'] ?? {}) as { annotations?: Record<string, unknown> };
  for (const [name, values] of Object.entries(VALUES)) {
    const value = annotations?.[name];
    if (typeof value !== 'string' || values.includes(value)) continue;
    const expected = values.map((it) => JSON.stringify(it)).join(' or ');
    tell.fault(complaint(join('metadata.annotations', name), expected, show('', value)));
  }
};
