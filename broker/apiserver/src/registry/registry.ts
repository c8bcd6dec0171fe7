import { coreKinds } from './core.ts';
import { definitionKind } from './definition-kind.ts';
import type { ServedKind } from './kind.ts';
import { knativeKinds } from './knative.ts';

/** The kinds that an API serves. */
export interface Registry {
  readonly kinds: readonly ServedKind[];
  /** The kind that is served at `/apis/<group>/<version>/…/<plural>`. */
  find(group: string, version: string, plural: string): ServedKind | undefined;
  /** The same by its name, in any version. */
  ofType(type: { readonly group: string; readonly kind: string }): ServedKind | undefined;
  /** The versions of each group, the preferred one first; the core is ''. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
}

/** Everything that we serve: core kinds, Knative's and our own. */
export function servedKinds(): ServedKind[] {
  return [...coreKinds(), definitionKind(), ...knativeKinds()];
}

/** A registry of these kinds. Throws when two are served at one place. */
export function registryOf(kinds: readonly ServedKind[]): Registry {
  const places = new Map<string, ServedKind>();
  const types = new Map<string, ServedKind>();
  const groups = new Map<string, string[]>();
  for (const served of kinds) {
    const { group, kind, plural } = served;
    types.set(`${group}/${kind}`, served);
    const versions = groups.get(group) ?? [];
    groups.set(group, versions);
    for (const { name } of served.versions) {
      const place = `${group}/${name}/${plural}`;
      if (places.has(place)) throw new TypeError(`expected one kind at ${place}, got two`);
      places.set(place, served);
      if (!versions.includes(name)) versions.push(name);
    }
  }
  for (const versions of groups.values()) versions.sort(byStability);
  return {
    kinds,
    groups,
    find: (group, version, plural) => places.get(`${group}/${version}/${plural}`),
    ofType: ({ group, kind }) => types.get(`${group}/${kind}`),
  };
}

/** v1 before v1beta2 before v1beta1 before v1alpha1, as Kubernetes orders versions. */
function byStability(one: string, other: string): number {
  const rank = (version: string) => {
    const [, major = '0', stage, minor = '0'] = /^v(\d+)(alpha|beta)?(\d+)?$/.exec(version) ?? [];
    const stages = { alpha: 0, beta: 1 };
    return [stage === undefined ? 2 : stages[stage as keyof typeof stages], Number(major), Number(minor)] as const;
  };
  const [ours, theirs] = [rank(one), rank(other)];
  return theirs[0] - ours[0] || theirs[1] - ours[1] || theirs[2] - ours[2];
}
