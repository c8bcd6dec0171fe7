import type { CloudEvent, ExtensionValue } from '@millrace/event/event';

/** Reads one attribute of an event; undefined when the event does not have it. Allocates nothing. */
export type ReadAttribute = (event: CloudEvent) => ExtensionValue | undefined;

/**
 * What an attribute name in a filter stands for, resolved once so that matching looks nothing up:
 *
 * - the context attributes of CloudEvents 1.0, as text; `time` is the text that came;
 * - `schemaurl`, the name that 0.3 had for `dataschema`;
 * - `datamediatype`, the `datacontenttype` without its parameters, in lower case;
 * - every other name: the extension of that name, with its own type. `data` is never one.
 *
 * Source: Knative's attribute lookup (eventing, `pkg/eventfilter/attributes`).
 */
export function attributeReader(name: string): ReadAttribute {
  switch (name) {
    case 'specversion':
      return (event) => event.specversion;
    case 'id':
      return (event) => event.id;
    case 'source':
      return (event) => event.source;
    case 'type':
      return (event) => event.type;
    case 'subject':
      return (event) => event.subject;
    case 'time':
      return (event) => event.time;
    case 'datacontenttype':
      return (event) => event.datacontenttype;
    case 'dataschema':
    case 'schemaurl':
      return (event) => event.dataschema;
    case 'datamediatype':
      return (event) => bareMediaType(event.datacontenttype);
    default:
      return (event) => event.extensions[name];
  }
}

/** {@link attributeReader} for the dialects that compare text: numbers and booleans are written out (`5`, `true`). */
export function textReader(name: string): (event: CloudEvent) => string | undefined {
  const read = attributeReader(name);
  return (event) => {
    const value = read(event);
    return typeof value === 'string' || value === undefined ? value : String(value);
  };
}

/** True for a name that a filter may ask for: it starts with a letter, as Knative's admission wants it. */
export function isAttributeName(name: string): boolean {
  return /^[a-z][a-z0-9]*$/.test(name);
}

function bareMediaType(mediaType: string | undefined): string | undefined {
  if (mediaType === undefined) return undefined;
  const end = mediaType.indexOf(';');
  return (end < 0 ? mediaType : mediaType.slice(0, end)).trim().toLowerCase();
}
