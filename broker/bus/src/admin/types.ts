import type { FastifyInstance } from 'fastify';

/** A type of events: declared, or seen since the process began, or both. Times are RFC 3339. */
export interface TypeView {
  readonly type: string;
  /** Undefined: of every source. */
  readonly source?: string | undefined;
  /** Where they enter; undefined: anywhere in the namespace. */
  readonly into?: { readonly kind: string; readonly namespace: string; readonly name: string } | undefined;
  /** The EventType that declares it, as `<namespace>/<name>`. */
  readonly eventType?: string | undefined;
  readonly description?: string | undefined;
  /** The URI by which events name their schema. */
  readonly schema?: string | undefined;
  /** Whether there is a schema to hold them against. */
  readonly hasSchema: boolean;
  /** Since the process began. */
  readonly count: number;
  /** In the last minute. */
  readonly perMinute: number;
  readonly lastAt?: string | undefined;
  /** Of the newest in the log. */
  readonly lastPosition?: number | undefined;
}

/** `/api/types`: which events there are. */
export function addTypes(server: FastifyInstance, types: () => readonly TypeView[]): void {
  server.get('/api/types', () => types());
}
