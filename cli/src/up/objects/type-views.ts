import type { KubernetesObject } from '@millrace/apiserver/objects/object';
import type { ObjectStore } from '@millrace/apiserver/objects/store';
import type { TypeView } from '@millrace/bus/admin/types';
import type { SeenType } from '@millrace/bus/telemetry/traffic';
import { addressableOf } from '@millrace/resources/event-type';
import type { EventType } from '@millrace/resources/event-type';

import { EVENT_TYPE } from './event-types.ts';

/** Which events there are: what EventTypes say, and what has been seen; sorted by type and source. */
export function typeViews(store: ObjectStore, seen: readonly SeenType[]): TypeView[] {
  const left = new Set(seen);
  const byType = Map.groupBy(seen, (it) => it.type);
  const declared = store.list(EVENT_TYPE).items.map((object) => {
    const own = seenOf(object, byType);
    for (const it of own) left.delete(it);
    return declaredView(object, own);
  });
  const order = ({ type, source = '', into }: TypeView) => JSON.stringify([type, source, into]);
  const views = [...declared, ...[...left].map(undeclaredView)];
  return views.toSorted((one, other) => (order(one) < order(other) ? -1 : 1));
}

function seenOf(object: KubernetesObject, byType: ReadonlyMap<string, readonly SeenType[]>): SeenType[] {
  const eventType = object as unknown as EventType;
  const { type, source } = eventType.spec;
  const about = addressableOf(eventType);
  const isInto = ({ into }: SeenType) =>
    about === undefined
      ? into.split('/')[1] === eventType.metadata.namespace
      : into === `${about.kind}/${about.namespace}/${about.name}`;
  return (byType.get(type) ?? []).filter((it) => (source === undefined || it.source === source) && isInto(it));
}

function declaredView(object: KubernetesObject, seen: readonly SeenType[]): TypeView {
  const eventType = object as unknown as EventType;
  const { type, source, schema, schemaData, description } = eventType.spec;
  return {
    type,
    source,
    into: addressableOf(eventType),
    eventType: `${eventType.metadata.namespace}/${eventType.metadata.name}`,
    description,
    schema,
    hasSchema: schemaData !== undefined,
    ...measuresOf(seen),
  };
}

function undeclaredView(seen: SeenType): TypeView {
  const { type, source, dataschema: schema } = seen;
  const [kind = '', namespace = '', name = ''] = seen.into.split('/');
  return { type, source, into: { kind, namespace, name }, schema, hasSchema: false, ...measuresOf([seen]) };
}

function measuresOf(seen: readonly SeenType[]): Pick<TypeView, 'count' | 'perMinute' | 'lastAt' | 'lastPosition'> {
  const newest = seen.toSorted((one, other) => other.lastPosition - one.lastPosition)[0];
  return {
    count: seen.reduce((sum, it) => sum + it.count, 0),
    perMinute: seen.reduce((sum, it) => sum + it.perMinute, 0),
    ...(newest !== undefined && {
      lastAt: new Date(newest.lastAt).toISOString(),
      lastPosition: newest.lastPosition,
    }),
  };
}
