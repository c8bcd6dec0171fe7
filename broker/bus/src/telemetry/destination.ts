/** A topic or a route, taken apart: `trigger/<namespace>/<name>`. */
export interface Destination {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** The parts of a topic's or route's name; undefined when it is none of ours. A name may hold slashes (the step of a flow). */
export function destinationOf(name: string): Destination | undefined {
  const parts = /^([^/]+)\/([^/]+)\/(.+)$/.exec(name);
  if (parts === null) return undefined;
  const [, kind = '', namespace = '', rest = ''] = parts;
  return { kind, namespace, name: rest };
}

/** As Knative names spans and messaging destinations: `trigger:<name>.<namespace>` (knative.md §7.4). */
export function destinationName(name: string): string {
  const destination = destinationOf(name);
  return destination === undefined ? name : `${destination.kind}:${destination.name}.${destination.namespace}`;
}
