import type { Broker } from '@millrace/resources/broker';
import { brokerKind } from '@millrace/resources/broker';
import type { ConfigMap } from '@millrace/resources/config-map';
import type { Declared } from '@millrace/resources/manifest';
import { keyOf } from '@millrace/resources/resource';
import type { AnyResource } from '@millrace/resources/any-resource';
import { secretValues } from '@millrace/resources/secret';
import { INJECTION } from '@millrace/resources/trigger';

import type { Trouble } from './conditions.ts';
import { addressBook } from './topics.ts';

/** All that is declared, to look things up in. */
export interface World {
  readonly all: readonly Declared[];
  find<Kind extends AnyResource['kind']>(
    kind: Kind,
    namespace: string,
    name: string,
  ): Extract<AnyResource, { kind: Kind }> | undefined;
  /** The topic that a Broker, a channel or a flow is, also a channel that a flow makes; undefined where there is none. */
  topic(of: { readonly kind: string; readonly namespace: string; readonly name: string }): string | undefined;
  /** A value of a Secret or ConfigMap, or why there is none. */
  value(
    kind: 'Secret' | 'ConfigMap',
    namespace: string,
    from: { name: string; key: string },
  ): { text: string } | { trouble: Trouble };
  /** All values of a Secret or ConfigMap; undefined when it is not declared. */
  values(kind: 'Secret' | 'ConfigMap', namespace: string, name: string): ReadonlyMap<string, string> | undefined;
}

/** The declared resources, and the brokers that exist without being declared. */
export function worldOf(declared: readonly Declared[]): World {
  const byKey = new Map(declared.map((it) => [keyOf(it.resource), it.resource]));
  const all = [...declared];
  for (const namespace of namespacesWithDefaultBroker(declared)) {
    const broker = defaultBroker(namespace);
    if (byKey.has(keyOf(broker))) continue;
    byKey.set(keyOf(broker), broker);
    const place = { file: '', line: 0, column: 0 };
    all.push({ resource: broker, place, locate: () => place });
  }
  const topics = addressBook(all);
  const find = (kind: string, namespace: string, name: string) =>
    byKey.get(keyOf({ kind, metadata: { namespace, name } }));
  const values = (kind: 'Secret' | 'ConfigMap', namespace: string, name: string) => {
    const holder = find(kind, namespace, name);
    if (holder === undefined) return undefined;
    return holder.kind === 'Secret' ? secretValues(holder) : configValues(holder as ConfigMap);
  };
  return {
    all,
    find: find as World['find'],
    topic: ({ kind, namespace, name }) => topics.get(`${kind}/${namespace}/${name}`),
    values,
    value(kind, namespace, { name, key }) {
      const held = values(kind, namespace, name);
      if (held === undefined)
        return { trouble: { reason: `${kind}Missing`, message: `the ${kind} ${namespace}/${name} is not declared` } };
      const text = held.get(key);
      if (text !== undefined) return { text };
      return {
        trouble: { reason: `${kind}KeyMissing`, message: `the ${kind} ${namespace}/${name} has no key "${key}"` },
      };
    },
  };
}

/** `default/default` is there unless declared, and the default broker of a namespace whose Trigger asks for it. */
function namespacesWithDefaultBroker(declared: readonly Declared[]): Set<string> {
  const asked = declared
    .map((it) => it.resource)
    .filter((it) => it.kind === 'Trigger' && it.metadata.annotations?.[INJECTION] === 'enabled')
    .map((it) => it.metadata.namespace);
  return new Set(['default', ...asked]);
}

function defaultBroker(namespace: string): Broker {
  const broker: Broker = {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Broker',
    metadata: { name: 'default', namespace },
    spec: {} as Broker['spec'],
  };
  brokerKind.complete?.(broker);
  return broker;
}

function configValues({ data, binaryData }: ConfigMap): Map<string, string> {
  const values = new Map(Object.entries(data ?? {}));
  for (const [key, value] of Object.entries(binaryData ?? {})) values.set(key, Buffer.from(value, 'base64').toString());
  return values;
}
