import { makeEvent, withExtensions } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';

import type { ObjectChange, WatchedKind, WatchedObject } from './objects.ts';

/** What an event of an object's change is made of, beside the change. */
export interface EventMaking {
  readonly mode: 'Reference' | 'Resource';
  /** The address of the API. */
  readonly source: string;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Extensions that every event gets, over its own. */
  readonly extensions: Readonly<Record<string, string>>;
}

const ACTIONS = { ADDED: 'add', MODIFIED: 'update', DELETED: 'delete' } as const;

/**
 * The change of an object as an event, with Knative's attributes: `dev.knative.apiserver.resource.<action>` with the
 * whole object, or `dev.knative.apiserver.ref.<action>` with what it is called. Throws an `EventFault` when what was said
 * makes no event.
 */
export function eventOf(
  { type, object }: Pick<ObjectChange, 'type' | 'object'>,
  { plural }: Pick<WatchedKind, 'plural'>,
  { mode, source, id, now, extensions }: EventMaking,
): CloudEvent {
  const { apiVersion, kind, metadata } = object;
  const { name, namespace = '' } = metadata;
  const part = mode === 'Resource' ? 'resource' : 'ref';
  const data = mode === 'Resource' ? object : referenceOf(object);
  const event = makeEvent(
    {
      specversion: '1.0',
      id,
      source,
      type: `dev.knative.apiserver.${part}.${ACTIONS[type]}`,
      // As Knative writes it, whatever the kind: the address in the API itself is another one for core kinds.
      subject: `/apis/${apiVersion}/namespaces/${namespace}/${plural}/${name}`,
      time: new Date(now).toISOString(),
      datacontenttype: 'application/json',
      apiversion: apiVersion,
      kind,
      name,
      namespace: namespace === '' ? undefined : namespace,
    },
    Buffer.from(JSON.stringify(data)),
  );
  return withExtensions(event, extensions);
}

/** Kubernetes' ObjectReference. */
function referenceOf({ apiVersion, kind, metadata: { name, namespace } }: WatchedObject): object {
  return { kind, ...(namespace === undefined || namespace === '' ? {} : { namespace }), name, apiVersion };
}
