import type { Registry } from '../registry/registry.ts';
import { apiVersionOf } from '../registry/kind.ts';
import type { ServedKind } from '../registry/kind.ts';

/** A resource that is asked and not stored: who may do what. */
export interface Review {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const SUBRESOURCE_VERBS = ['get', 'patch', 'update'];

/** What kubectl and other clients ask to learn which kinds there are. */
export interface Discovery {
  /** `/api`. */
  core(): object;
  /** `/apis`. */
  groups(): object;
  /** `/apis/<group>`; undefined when there is none of that name. */
  group(name: string): object | undefined;
  /** `/api/v1`, `/apis/<group>/<version>`; undefined when there is none. */
  resources(group: string, version: string): object | undefined;
  /** `/api` or `/apis` with all that is below them, in one answer (apidiscovery.k8s.io). */
  aggregated(root: 'api' | 'apis', version: string): object;
}

/** Discovery over what is served. */
export function discovery({ kinds, groups }: Registry, reviews: readonly Review[]): Discovery {
  const versions = new Map(groups);
  for (const { group, version } of reviews) versions.set(group, [version]);
  const kindsOf = (group: string, version: string) =>
    kinds.filter((kind) => kind.group === group && kind.versions.some(({ name }) => name === version));
  const reviewsOf = (group: string, version: string) =>
    reviews.filter((review) => review.group === group && review.version === version);
  const named = [...versions.keys()].filter((group) => group !== '');

  const group = (name: string) => {
    const known = name === '' ? undefined : versions.get(name);
    if (known === undefined) return undefined;
    const list = known.map((version) => ({ groupVersion: `${name}/${version}`, version }));
    return { name, versions: list, preferredVersion: list[0] };
  };
  return {
    core: () => ({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }),
    groups: () => ({ kind: 'APIGroupList', apiVersion: 'v1', groups: named.map(group) }),
    group: (name) => {
      const found = group(name);
      return found === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...found };
    },
    resources(group, version) {
      if (!(versions.get(group) ?? []).includes(version)) return undefined;
      return {
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion: apiVersionOf({ group }, version),
        resources: [...kindsOf(group, version).flatMap(resourcesOf), ...reviewsOf(group, version).map(reviewResource)],
      };
    },
    aggregated: (root, version) => ({
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: (root === 'api' ? [''] : named).map((group) => ({
        metadata: { ...(group !== '' && { name: group }), creationTimestamp: null },
        versions: versions.get(group)!.map((each) => ({
          version: each,
          resources: [
            ...kindsOf(group, each).map((kind) => aggregatedResource(kind, each)),
            ...reviewsOf(group, each).map(aggregatedReview),
          ],
          freshness: 'Current',
        })),
      })),
    }),
  };
}

function resourcesOf({ kind, plural, singular, namespaced, shortNames, categories, hasStatus }: ServedKind): object[] {
  const itself = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: VERBS,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
  };
  const status = { name: `${plural}/status`, singularName: '', namespaced, kind, verbs: SUBRESOURCE_VERBS };
  return hasStatus ? [itself, status] : [itself];
}

function aggregatedResource(served: ServedKind, version: string): object {
  const { group, kind, plural, singular, namespaced, shortNames, categories, hasStatus } = served;
  const responseKind = { group, version, kind };
  return {
    resource: plural,
    responseKind,
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: VERBS,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(hasStatus && { subresources: [{ subresource: 'status', responseKind, verbs: SUBRESOURCE_VERBS }] }),
  };
}

/** Under which plural a review is asked. */
export function reviewPlural({ kind }: Pick<Review, 'kind'>): string {
  return `${kind.toLowerCase()}s`;
}

function reviewResource(review: Review): object {
  const { kind } = review;
  return {
    name: reviewPlural(review),
    singularName: kind.toLowerCase(),
    namespaced: false,
    kind,
    verbs: ['create'],
  };
}

function aggregatedReview({ group, version, kind }: Review): object {
  return {
    resource: reviewPlural({ kind }),
    responseKind: { group, version, kind },
    scope: 'Cluster',
    singularResource: kind.toLowerCase(),
    verbs: ['create'],
  };
}
