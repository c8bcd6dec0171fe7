import { apiVersionOf } from '../registry/kind.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServedKind } from '../registry/kind.ts';

/** Objects of a kind, or one of them, in one version. */
export interface ObjectTarget {
  readonly kind: ServedKind;
  /** As the client wants to read and write it: `eventing.knative.dev/v1`. */
  readonly apiVersion: string;
  /** Undefined: all namespaces, or a kind that is in none. */
  readonly namespace: string | undefined;
  /** Undefined: all of them. */
  readonly name: string | undefined;
  /** `status`, `token` of a ServiceAccount, `log` of a Pod; '' for the object itself. */
  readonly subresource: string;
}

/** What a path asks for. */
export type Target =
  | { readonly what: 'objects'; readonly target: ObjectTarget }
  | { readonly what: 'discovery'; readonly group: string | undefined; readonly version: string | undefined }
  | { readonly what: 'review'; readonly group: string; readonly version: string; readonly resource: string }
  | { readonly what: 'openapi'; readonly document: string | undefined }
  | { readonly what: 'openapi-v2' }
  | { readonly what: 'version' }
  | { readonly what: 'health' }
  | { readonly what: 'nothing' };

const OWN = /^\/(?:api|apis|openapi|version|healthz)\/?$|^\/(?:api\/v\d\w*|apis|openapi|healthz)(?:\/|$)/;

/** True for the paths of a Kubernetes API, as it shares its port with others (`/api/events` is none). */
export function isApiPath(path: string): boolean {
  return OWN.test(path);
}

/** Reads the path of a request; percent-encoding is undone. */
export function targetOf(path: string, registry: Registry, reviews: ReadonlySet<string>): Target {
  const steps = path.split('/').filter((step) => step !== '');
  const [first, ...rest] = steps.map(decode);
  if (first === 'version') return { what: 'version' };
  if (first === 'healthz') return { what: 'health' };
  if (first === 'openapi') {
    if (rest[0] === 'v2' && rest.length === 1) return { what: 'openapi-v2' };
    if (rest[0] !== 'v3') return { what: 'nothing' };
    return { what: 'openapi', document: rest.length === 1 ? undefined : rest.slice(1).join('/') };
  }
  const isCore = first === 'api';
  if (!isCore && first !== 'apis') return { what: 'nothing' };
  const [group, version] = isCore ? ['', rest[0]] : [rest[0], rest[1]];
  const inVersion = rest.slice(isCore ? 1 : 2);
  if (inVersion.length === 0) return { what: 'discovery', group: isCore ? '' : group, version };
  if (reviews.has(`${group}/${version}/${inVersion[0]}`) && inVersion.length === 1) {
    return { what: 'review', group: group!, version: version!, resource: inVersion[0]! };
  }
  const target = objectsAt(inVersion, group!, version!, registry);
  return target === undefined ? { what: 'nothing' } : { what: 'objects', target };
}

/** A Namespace is an object, and what other objects are in: `namespaces/a/status` and `namespaces/a/secrets`. */
const OF_NAMESPACES = new Set(['status', 'finalize']);

function objectsAt(steps: string[], group: string, version: string, registry: Registry): ObjectTarget | undefined {
  const isIn = steps[0] === 'namespaces' && steps.length >= 3 && !OF_NAMESPACES.has(steps[2]!);
  const namespace = isIn ? steps[1] : undefined;
  const [plural, name, subresource = '', ...beyond] = isIn ? steps.slice(2) : steps;
  const kind = registry.find(group, version, plural!);
  if (kind === undefined || beyond.length > 0) return undefined;
  if (kind.namespaced ? name !== undefined && !isIn : isIn) return undefined;
  const isCore = (name: string) => kind.group === '' && kind.kind === name;
  const isThere =
    subresource === '' ||
    (subresource === 'status' && kind.hasStatus) ||
    (subresource === 'token' && isCore('ServiceAccount')) ||
    (subresource === 'log' && isCore('Pod'));
  if (!isThere) return undefined;
  return { kind, apiVersion: apiVersionOf(kind, version), namespace, name, subresource };
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}
