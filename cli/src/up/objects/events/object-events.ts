import { createHash } from 'node:crypto';

import type { KubernetesObject, ObjectDraft, ObjectKey } from '@millrace/apiserver/objects/object';
import type { Change, ObjectStore } from '@millrace/apiserver/objects/store';

/** Something about an object that a person should notice. */
export interface Note {
  readonly about: KubernetesObject;
  readonly type: 'Normal' | 'Warning';
  /** One CamelCase word. */
  readonly reason: string;
  readonly message: string;
  /** What tells it from other notes about the object; those of one topic are one Event that counts them. */
  readonly topic: string;
  /** How often it happened. */
  readonly count: number;
}

/** Where Kubernetes' Events are. */
export const EVENT_TYPE = { group: '', kind: 'Event' } as const;

/** How long an Event is kept after it happened last; Kubernetes keeps them as long. */
export const KEPT_MS = 3_600_000;
/** So many at most; the oldest go first. */
export const MOST_EVENTS = 1_000;

const LONGEST_MESSAGE = 1_024;
const WHO = 'millrace';

interface EventFields {
  readonly count?: number;
  readonly firstTimestamp?: string;
  readonly lastTimestamp?: string;
}

/** What has to be written so that the store tells of the notes. `now` is in milliseconds since 1970. */
export function changesForNotes(store: ObjectStore, notes: Iterable<Note>, now: number): Change[] {
  return [...notes].map((note): Change => {
    const key = keyOf(note);
    const old = store.get(key);
    return { kind: 'put', key, object: eventOf(note, old, now), expected: old?.metadata.resourceVersion };
  });
}

/** What has to go: Events that nobody cares about any more, and those that are too many. */
export function changesForOldEvents(store: ObjectStore, now: number): Change[] {
  const events = store
    .list(EVENT_TYPE)
    .items.map((event) => ({ event, at: lastSeen(event) }))
    .toSorted((one, other) => other.at - one.at);
  return events.flatMap(({ event, at }, index): Change[] => {
    if (index < MOST_EVENTS && now - at <= KEPT_MS) return [];
    const { name, namespace = '', resourceVersion } = event.metadata;
    return [{ kind: 'remove', key: { ...EVENT_TYPE, namespace, name }, expected: resourceVersion }];
  });
}

function lastSeen(event: KubernetesObject): number {
  return Date.parse((event as EventFields).lastTimestamp ?? event.metadata.creationTimestamp);
}

/** The same note about the same object is the same Event. */
function keyOf({ about, type, reason, topic }: Note): ObjectKey {
  const { name, namespace = 'default', uid } = about.metadata;
  const hash = createHash('sha256').update([uid, type, reason, topic].join('\n')).digest('hex').slice(0, 16);
  return { ...EVENT_TYPE, namespace, name: `${name}.${hash}` };
}

function eventOf(
  { about, type, reason, message, count }: Note,
  old: KubernetesObject | undefined,
  now: number,
): ObjectDraft {
  const { apiVersion, kind, metadata } = about;
  const { name, namespace, uid, resourceVersion } = metadata;
  const time = `${new Date(now).toISOString().slice(0, 19)}Z`;
  const before = old as EventFields | undefined;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {},
    involvedObject: { apiVersion, kind, name, ...(namespace !== undefined && { namespace }), uid, resourceVersion },
    type,
    reason,
    message: message.slice(0, LONGEST_MESSAGE),
    source: { component: WHO },
    reportingComponent: WHO,
    reportingInstance: '',
    firstTimestamp: before?.firstTimestamp ?? time,
    lastTimestamp: time,
    count: (before?.count ?? 0) + count,
  };
}
