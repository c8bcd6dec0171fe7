import { groupOf } from '@millrace/apiserver/objects/object';
import { nearest } from '@millrace/resources/nearest';

import type { ApiClient } from '../api-client.ts';
import { CommandFailure } from '../exit-codes.ts';
import { printable } from '../view/printable.ts';

/** A kind in one of its versions, as the server's discovery tells of it. */
export interface ResourceType {
  /** '' for the core. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

/** What the server serves. */
export interface Discovery {
  /** One for each kind, in the version that the server prefers; by group, then by name. */
  readonly types: readonly ResourceType[];
  /**
   * The kinds that a word stands for: plural, singular, short name, `triggers.eventing.knative.dev`, or a category, which
   * stands for several. Throws a {@link CommandFailure} for what stands for none.
   */
  named(word: string): readonly ResourceType[];
  /** The same for a word that must stand for one kind; a version may be named, as `kafkasources.v1beta1.sources.knative.dev`. */
  one(word: string): ResourceType;
  /** The kind of a manifest in that very version. */
  find(apiVersion: string, kind: string): ResourceType | undefined;
  /** What is served and spelled like that: `eventing.knative.dev/v1 Trigger`. */
  suggest(apiVersion: string, kind: string): string | undefined;
}

interface GroupDiscovery {
  readonly metadata: { readonly name?: string };
  readonly versions: readonly { readonly version: string; readonly resources?: readonly ResourceDiscovery[] }[];
}

interface ResourceDiscovery {
  readonly resource: string;
  readonly responseKind: { readonly kind: string };
  readonly scope: string;
  readonly singularResource: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

/** All of it in two answers (Kubernetes: aggregated discovery). */
const ACCEPT = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Asks a server what it serves. */
export async function discover(client: ApiClient): Promise<Discovery> {
  const roots = await Promise.all(
    ['/api', '/apis'].map((path) => client.send<{ items?: readonly GroupDiscovery[] }>({ path, accept: ACCEPT })),
  );
  return discoveryOf(roots.flatMap(({ body }) => (body.items ?? []).flatMap(typesOf)));
}

/** A discovery over these kinds; of a kind in several versions, the preferred one is the first. */
export function discoveryOf(all: readonly ResourceType[]): Discovery {
  const preferred = new Map<string, ResourceType>();
  for (const type of all) {
    const key = resourceText(type);
    if (!preferred.has(key)) preferred.set(key, type);
  }
  const types = [...preferred.values()].toSorted(
    (one, other) => compare(one.group, other.group) || compare(one.plural, other.plural),
  );

  function named(word: string): readonly ResourceType[] {
    const wanted = word.toLowerCase();
    const [exact] = matching(wanted);
    if (exact !== undefined) return [exact];
    const members = types.filter(({ categories }) => categories.includes(wanted));
    if (members.length > 0) return members;
    const near = nearest(wanted, new Set(types.flatMap((type) => [...namesOf(type), ...type.categories])));
    const hint = near === undefined ? '`millrace api-resources` lists what there is' : `did you mean ${near}?`;
    throw new CommandFailure('usage', printable(`the server has no kind "${word}": ${hint}`));
  }
  function matching(wanted: string): ResourceType[] {
    const [name = '', ...rest] = wanted.split('.');
    const suffix = rest.join('.');
    if (suffix === '') return types.filter((type) => namesOf(type).includes(name));
    const inGroup = types.filter((type) => type.group === suffix && namesOf(type).includes(name));
    if (inGroup.length > 0) return inGroup;
    return all.filter((type) => suffix === withGroup(type.version, type) && namesOf(type).includes(name));
  }

  return {
    types,
    named,
    one(word) {
      const [only, ...others] = named(word);
      if (others.length === 0) return only!;
      const list = [only!, ...others].map(({ plural }) => plural).join(', ');
      throw new CommandFailure('usage', `"${word}" stands for several kinds: name one of ${list}`);
    },
    find: (apiVersion, kind) => all.find((type) => type.kind === kind && apiVersionOf(type) === apiVersion),
    suggest(apiVersion, kind) {
      const group = groupOf(apiVersion);
      const ofKind = types.filter((type) => type.kind === kind);
      const same = ofKind.find((type) => type.group === group) ?? ofKind[0];
      const near = nearest(kind, new Set(types.map((type) => type.kind)));
      const meant = same ?? types.find((type) => type.kind === near);
      return meant === undefined ? undefined : `${apiVersionOf(meant)} ${meant.kind}`;
    },
  };
}

/** `eventing.knative.dev/v1`, `v1`. */
export function apiVersionOf({ group, version }: Pick<ResourceType, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

/** `triggers.eventing.knative.dev`, `secrets`. */
export function resourceText(type: Pick<ResourceType, 'group' | 'plural'>): string {
  return withGroup(type.plural, type);
}

/** How people are told of an object: `trigger.eventing.knative.dev/urgent`, `secret/key`. */
export function nameText(type: Pick<ResourceType, 'group' | 'kind'>, name: string): string {
  return `${withGroup(type.kind.toLowerCase(), type)}/${name}`;
}

/** Where the objects of a kind are, or one of them. No namespace: those of all. */
export function pathOf(type: ResourceType, namespace?: string, name?: string): string {
  const root = type.group === '' ? '/api' : '/apis';
  const inside = type.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const last = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}/${apiVersionOf(type)}${inside}/${type.plural}${last}`;
}

function typesOf({ metadata, versions }: GroupDiscovery): ResourceType[] {
  return versions.flatMap(({ version, resources = [] }) =>
    resources.map((it) => ({
      group: metadata.name ?? '',
      version,
      kind: it.responseKind.kind,
      plural: it.resource,
      singular: it.singularResource,
      shortNames: it.shortNames ?? [],
      categories: it.categories ?? [],
      namespaced: it.scope === 'Namespaced',
      verbs: it.verbs,
    })),
  );
}

function namesOf({ plural, singular, shortNames, kind }: ResourceType): string[] {
  return [plural, singular, ...shortNames, kind.toLowerCase()];
}

function withGroup(name: string, { group }: Pick<ResourceType, 'group'>): string {
  return group === '' ? name : `${name}.${group}`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
