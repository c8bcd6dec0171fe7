import { groupOf } from '@millrace/apiserver/objects/object';
import type { KubernetesObject } from '@millrace/apiserver/objects/object';
import type { ObjectStore } from '@millrace/apiserver/objects/store';
import { admit } from '@millrace/resources/admit';
import { KINDS } from '@millrace/resources/kinds';
import type { Declared } from '@millrace/resources/manifest';

import { fileOf, isImplicit, isMade } from './ownership.ts';

/**
 * What the objects of the API declare: those of kinds that mean something, that no file declares and no other object has
 * made. Their defaults were set when they were written.
 */
export function declaredObjects(store: ObjectStore): Declared[] {
  return meaningfulTypes().flatMap((type) =>
    store.list(type).items.flatMap((object): Declared[] => {
      if (fileOf(object) !== undefined || isMade(object) || isImplicit(object)) return [];
      const known = declaredBy.get(object) ?? { declared: read(object) };
      declaredBy.set(object, known);
      return known.declared === undefined ? [] : [known.declared];
    }),
  );
}

// What is stored is never changed, only replaced, and every change of one object asks for all of them again.
const declaredBy = new WeakMap<KubernetesObject, { readonly declared: Declared | undefined }>();

function read(object: KubernetesObject): Declared | undefined {
  const { resource } = admit(object);
  if (resource === undefined) return undefined;
  // Code that it names by a path lies below the folder in which the process was started.
  const { kind, metadata } = resource;
  const place = { file: `${kind}/${metadata.namespace}/${metadata.name}`, line: 1, column: 1 };
  return { resource, place, locate: () => place };
}

/** The types of all kinds that a plan is made of. */
export function meaningfulTypes(): { readonly group: string; readonly kind: string }[] {
  return Object.entries(KINDS).map(([kind, { apiVersions }]) => {
    const [preferred = ''] = apiVersions;
    return { kind, group: groupOf(preferred) };
  });
}
