import { isDeepStrictEqual } from 'node:util';

import type { ObjectDraft, ObjectKey } from '../objects/object.ts';
import type { Change, ObjectStore } from '../objects/store.ts';
import { DEFINITION_TYPE } from '../registry/definition-kind.ts';
import { resourceText } from '../registry/kind.ts';
import type { ServedKind, ServedVersion } from '../registry/kind.ts';

/** What of Knative's tools look for, by the category of a kind (eventing/config/core/resources). */
const DUCKS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sources: { 'duck.knative.dev/source': 'true' },
  bindings: { 'duck.knative.dev/binding': 'true' },
  channel: { 'messaging.knative.dev/subscribable': 'true', 'duck.knative.dev/addressable': 'true' },
};

/** Stores the CustomResourceDefinition of each kind that is no core one, as it is served now; and no others. */
export async function ensureDefinitions(store: ObjectStore, kinds: readonly ServedKind[]): Promise<void> {
  const changes: Change[] = [];
  const custom = kinds.filter(({ group }) => group.includes('.') && group !== DEFINITION_TYPE.group);
  const names = new Set<string>();
  for (const kind of custom) {
    const object = definitionOf(kind);
    const key: ObjectKey = { ...DEFINITION_TYPE, namespace: '', name: object.metadata.name! };
    names.add(key.name);
    const old = store.get(key);
    const isSame =
      isDeepStrictEqual(old?.['spec'], object['spec']) &&
      isDeepStrictEqual(old?.metadata.labels, object.metadata.labels);
    if (!isSame) changes.push({ kind: 'put', key, object, expected: old?.metadata.resourceVersion });
  }
  for (const { metadata } of store.list(DEFINITION_TYPE).items) {
    if (names.has(metadata.name)) continue;
    const key = { ...DEFINITION_TYPE, namespace: '', name: metadata.name };
    changes.push({ kind: 'remove', key, expected: metadata.resourceVersion });
  }
  if (changes.length > 0) await store.write(changes);
}

function definitionOf(kind: ServedKind): ObjectDraft {
  const { group, plural, singular, shortNames, categories, namespaced, versions, storage, columns } = kind;
  const labels = Object.assign({}, ...categories.map((category) => DUCKS[category])) as Record<string, string>;
  const names = {
    kind: kind.kind,
    listKind: `${kind.kind}List`,
    plural,
    singular,
    ...(shortNames.length > 0 && { shortNames: [...shortNames] }),
    ...(categories.length > 0 && { categories: [...categories] }),
  };
  const printed = columns.flatMap(({ name, type, value, priority }) =>
    typeof value === 'string' ? [{ name, type, jsonPath: value, ...(priority !== undefined && { priority }) }] : [],
  );
  return {
    apiVersion: `${DEFINITION_TYPE.group}/v1`,
    kind: DEFINITION_TYPE.kind,
    metadata: { name: resourceText(kind), generation: 1, ...(Object.keys(labels).length > 0 && { labels }) },
    spec: {
      group,
      names,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      versions: versions.map((version) => versionOf(version, storage, printed)),
    },
    status: {
      acceptedNames: names,
      conditions: [{ type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'it is served' }],
      storedVersions: [storage],
    },
  };
}

function versionOf({ name, deprecated }: ServedVersion, storage: string, printed: readonly object[]): object {
  return {
    name,
    served: true,
    storage: name === storage,
    ...(deprecated !== undefined && { deprecated: true, deprecationWarning: deprecated }),
    // What the fields are is told by OpenAPI.
    schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    ...(printed.length > 0 && { additionalPrinterColumns: printed }),
    subresources: { status: {} },
  };
}
