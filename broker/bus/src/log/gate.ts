import type { CloudEvent } from '@millrace/event/event';
import type { Headers } from '@millrace/event/handler';

import { facts } from './facts.ts';
import type { Accepted } from './facts.ts';
import type { Cause, Entry, Log } from './log.ts';
import type { Settlement } from './progress.ts';

/** After so many deliveries in a row an event goes in a circle (Knative's broker TTL, knative/eventing `ttl.go`). */
export const MAX_HOPS = 255;

/** Tells the next bus how many deliveries lie behind an event, so that a circle through several is seen as well. */
export const HOPS_HEADER = 'millrace-hops';

/** What came to the gate, and where it came from. */
export interface Arrival {
  readonly event: CloudEvent;
  readonly headers?: Headers | undefined;
  /** Deliveries that lie behind it; 0 from outside. */
  readonly hops?: number;
  readonly cause?: Cause | undefined;
  /** Whether it is to be found by the id of its event. Default: no. */
  readonly findable?: boolean | undefined;
}

/** The only way into the log: ingress, sources and replies alike. */
export interface Gate {
  /**
   * Resolves when all are durable, with their entries. Rejects with a {@link GateRefusal} when one may not enter, and as
   * {@link Log.append} does; nothing of them is in the log then, nor is the settlement.
   */
  enter(topic: string, arrivals: readonly Arrival[], settlement?: Settlement): Promise<readonly Entry[]>;
}

/** Why an event may not enter. Trying again does not help. */
export class GateRefusal extends Error {
  override readonly name = 'GateRefusal';
  readonly code: 'too-large' | 'too-many-hops' | 'mismatch';
  /** The HTTP status that says so. */
  readonly status: number;

  constructor(code: GateRefusal['code'], message: string) {
    super(message);
    this.code = code;
    this.status = STATUSES[code];
  }
}

const STATUSES = { 'too-large': 413, 'too-many-hops': 400, mismatch: 422 } as const;

/** Whether events of a topic are as they have to be. */
export interface TopicCheck {
  /** Why one is not; undefined when it is. */
  readonly check: (event: CloudEvent) => string | undefined;
  /** The topic that takes those that are not; undefined: nobody takes them. */
  readonly mismatches: string | undefined;
}

export interface GateOptions {
  readonly log: Log;
  /** The largest event: its data in bytes. */
  readonly maxEventBytes: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Begins a trace for what comes without one; undefined where nobody traces. */
  readonly newTraceparent?: (() => string) | undefined;
  /** What events of a topic are held against; undefined for most. */
  readonly checkOf?: ((topic: string) => TopicCheck | undefined) | undefined;
  /** Is told of what has become durable, before whoever brought it. */
  readonly entered?: ((entries: readonly Entry[]) => void) | undefined;
}

export function openGate({ log, maxEventBytes, now, newTraceparent, checkOf, entered }: GateOptions): Gate {
  const traced = (headers: Headers | undefined) =>
    newTraceparent === undefined || headers?.['traceparent'] !== undefined
      ? headers
      : { ...headers, traceparent: newTraceparent() };

  return {
    async enter(topic, arrivals, settlement) {
      const arrivedAt = now();
      const check = checkOf?.(topic);
      const drafts = arrivals.map(({ event, headers, hops = 0, cause, findable }) => {
        const size = event.data?.byteLength ?? 0;
        if (size > maxEventBytes) {
          throw new GateRefusal(
            'too-large',
            `the event's data is ${size} bytes long; at most ${maxEventBytes} are taken (--max-event-bytes)`,
          );
        }
        if (hops > MAX_HOPS) {
          throw new GateRefusal(
            'too-many-hops',
            `the event is the reply of a reply, ${MAX_HOPS} times over: it goes in a circle`,
          );
        }
        const into = check === undefined ? topic : placeFor(event, topic, check);
        return { topic: into, event, arrivedAt, hops, cause, headers: traced(headers), findable };
      });
      const entries = await log.append(drafts, settlement);
      entered?.(entries);
      if (facts.accepted.hasSubscribers)
        facts.accepted.publish({ entries, duration: now() - arrivedAt } satisfies Accepted);
      return entries;
    },
  };
}

/** The topic that an event enters which is asked to be as a schema wants it. */
function placeFor(event: CloudEvent, topic: string, { check, mismatches }: TopicCheck): string {
  const why = check(event);
  if (why === undefined) return topic;
  if (mismatches === undefined) throw new GateRefusal('mismatch', why);
  return mismatches;
}
