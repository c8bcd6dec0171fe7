import { createHash } from 'node:crypto';

import { groupOf } from '@millrace/apiserver/objects/object';
import type { KubernetesObject, ObjectDraft, ObjectKey } from '@millrace/apiserver/objects/object';
import type { Change, ObjectStore } from '@millrace/apiserver/objects/store';
import type { SeenType } from '@millrace/bus/telemetry/traffic';
import { addressableOf, eventTypeKind } from '@millrace/resources/event-type';
import type { EventType } from '@millrace/resources/event-type';
import { isKind, KINDS } from '@millrace/resources/kinds';
import { EVENT_TYPES } from '@millrace/resources/schema-validation';

import { keyOfObject } from './ownership.ts';

/** The annotation of an EventType that was made of events that have entered. */
export const MADE_FROM = 'millrace.dev/made-from';

const [API_VERSION = ''] = eventTypeKind.apiVersions;

/** Where EventTypes are kept. */
export const EVENT_TYPE = { group: groupOf(API_VERSION), kind: 'EventType' } as const;

/** So many at most: whoever puts an order's number into the type of its events must not fill the store. */
const MOST_MADE = 1_000;

/**
 * What has to change so that there is an EventType of everything that has been seen, unless one is declared, or its
 * broker or channel does without; and none of what had been seen where there is nothing any more (knative.md §1.4,
 * `eventtype-auto-create`). `isThere` tells whether something with this key takes events.
 */
export function changesForEventTypes(
  store: ObjectStore,
  seen: readonly SeenType[],
  isThere: (key: string) => boolean,
): Change[] {
  const stored = store.list(EVENT_TYPE).items;
  const gone = stored.filter((it) => isMade(it) && !isThere(intoOf(it)));
  const removals = gone.map((it): Change => {
    return { kind: 'remove', key: keyOfObject(it), expected: it.metadata.resourceVersion };
  });
  const known = new Set(stored.map((it) => identityOf(it)));
  let room = MOST_MADE - stored.length;
  const additions = seen.flatMap((it): Change[] => {
    const isDeclared =
      known.has(JSON.stringify([it.into, it.type, it.source])) || known.has(JSON.stringify([it.into, it.type, '']));
    if (isDeclared || room <= 0 || !isThere(it.into)) return [];
    const made = eventTypeOf(it, store);
    if (made === undefined) return [];
    room -= 1;
    return [{ kind: 'put', key: keyOfDraft(made), object: made, expected: undefined }];
  });
  return [...removals, ...additions];
}

function eventTypeOf({ into, type, source, dataschema }: SeenType, store: ObjectStore): ObjectDraft | undefined {
  const [kind = '', namespace = '', name = ''] = into.split('/');
  if (!isKind(kind)) return undefined;
  const [apiVersion = ''] = KINDS[kind].apiVersions;
  const owner = store.get({ group: groupOf(apiVersion), kind, namespace, name });
  if (owner?.metadata.annotations?.[EVENT_TYPES] === 'disabled') return undefined;
  const owners = owner === undefined ? {} : { ownerReferences: [{ apiVersion, kind, name, uid: owner.metadata.uid }] };
  return {
    apiVersion: API_VERSION,
    kind: 'EventType',
    metadata: {
      name: nameOf({ type, source, namespace, name }),
      namespace,
      generation: 1,
      annotations: { [MADE_FROM]: 'traffic' },
      ...owners,
    },
    spec: {
      type,
      source,
      ...(dataschema !== undefined && { schema: dataschema }),
      reference: { apiVersion, kind, name, namespace },
      description: 'Made of an event that has entered',
    },
  };
}

/** As Knative calls it. */
function nameOf(of: { type: string; source: string; namespace: string; name: string }): string {
  const hash = createHash('md5')
    .update(of.type + of.source + of.namespace + of.name)
    .digest('hex');
  return `et-${of.name}-${hash}`.toLowerCase();
}

function keyOfDraft({ metadata }: ObjectDraft): ObjectKey {
  return { ...EVENT_TYPE, namespace: metadata.namespace ?? '', name: metadata.name ?? '' };
}

function isMade({ metadata }: KubernetesObject): boolean {
  return metadata.annotations?.[MADE_FROM] === 'traffic';
}

/** What an EventType is about, and which; one for every source has an empty one. */
function identityOf(object: KubernetesObject): string {
  const { type, source = '' } = object['spec'] as EventType['spec'];
  return JSON.stringify([intoOf(object), type, source]);
}

function intoOf(object: KubernetesObject): string {
  const about = addressableOf(object as unknown as EventType);
  return about === undefined ? '' : `${about.kind}/${about.namespace}/${about.name}`;
}
