import type { CloudEvent } from '@millrace/event/event';

import { compileSchema } from './compile.ts';
import type { Check } from './compile.ts';

/** What the data of a type of events has to look like. */
export interface EventSchema {
  readonly type: string;
  /** Undefined: whatever the source. */
  readonly source?: string | undefined;
  /** The URI that events name it by, in `dataschema`. */
  readonly dataschema?: string | undefined;
  /** A JSON Schema, as text. */
  readonly schema: string;
}

/** Says why an event is not as its schema wants it; undefined when it is, or when there is no schema for it. */
export type EventCheck = (event: CloudEvent) => string | undefined;

interface Compiled extends EventSchema {
  readonly check: Check;
}

/**
 * Holds events against the schemas of their type:
 *
 *   names a dataschema ─ one has this name ─▶ that one
 *                      └ none has ─▶ those without a name
 *   names none ─▶ all of the type and source: one of them has to take it
 *
 * Where a schema is for the event's own source, those for every source do not count. Throws a `SchemaFault` for a schema
 * that is none.
 */
export function compileEventCheck(schemas: readonly EventSchema[]): EventCheck {
  const byType = Map.groupBy(
    schemas.map((it): Compiled => ({ ...it, check: compileSchema(it.schema) })),
    ({ type }) => type,
  );
  return (event) => {
    const ofType = byType.get(event.type);
    if (ofType === undefined) return undefined;
    const meant = meantBy(event, ofType);
    if (meant.length === 0) return undefined;
    const data = read(event);
    if ('why' in data) return data.why;
    let first: string | undefined;
    for (const { check, dataschema } of meant) {
      const why = check(data.value);
      if (why === undefined) return undefined;
      first ??= `the data is not as ${dataschema ?? `the schema of ${event.type}`} wants it: ${why}`;
    }
    return first;
  };
}

function meantBy({ source, dataschema }: CloudEvent, ofType: readonly Compiled[]): readonly Compiled[] {
  const own = ofType.filter((it) => it.source === source);
  const candidates = own.length > 0 ? own : ofType.filter((it) => it.source === undefined);
  if (dataschema === undefined) return candidates;
  const named = candidates.filter((it) => it.dataschema === dataschema);
  return named.length > 0 ? named : candidates.filter((it) => it.dataschema === undefined);
}

/** As of RFC 8259, and of RFC 6839 §3.1; without a content type the data of an event are JSON (CloudEvents 1.0 §3.1). */
const JSON_TYPE = /^(?:[\w!#$&^.+-]+\/(?:json|[\w!#$&^.+-]+\+json)|)\s*(?:;|$)/i;
const decoder = new TextDecoder('utf-8', { fatal: true });

function read({ data, datacontenttype = '' }: CloudEvent): { value: unknown } | { why: string } {
  if (!JSON_TYPE.test(datacontenttype)) return { why: `the data is ${datacontenttype}; a schema is there for JSON` };
  if (data === undefined || data.byteLength === 0) return { why: 'there is no data, and a schema is there for it' };
  try {
    return { value: JSON.parse(decoder.decode(data)) };
  } catch {
    return { why: 'the data is not JSON, and a schema is there for it' };
  }
}
