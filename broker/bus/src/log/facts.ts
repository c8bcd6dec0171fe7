import { channel } from 'node:diagnostics_channel';

import type { Entry } from './log.ts';
import type { Settlement } from './progress.ts';

/**
 * What the bus says of itself. It tells; it does not count: logs, metrics and traces listen.
 * Listeners run inside the telling and must neither throw nor take long.
 */
export const facts = {
  /** Events entered the log and are durable. */
  accepted: channel('millrace:accepted'),
  /** A request was answered without an event entering the log. */
  refused: channel('millrace:refused'),
  /** One attempt of a delivery is over. */
  attempted: channel('millrace:attempted'),
  /** A function was told to get ready because an event is on its way to it. */
  prewarmed: channel('millrace:prewarmed'),
} as const;

export interface Accepted {
  readonly entries: readonly Entry[];
  /** Milliseconds from arrival until durable. */
  readonly duration: number;
}

export interface Refused {
  readonly path: string;
  readonly status: number;
  readonly reason: string;
}

export interface Prewarmed {
  /** The route whose reply is expected, and the one that it is expected to take. */
  readonly route: string;
  readonly next: string;
}

export interface Attempted {
  readonly entry: Entry;
  readonly settlement: Settlement;
  /** What the attempt was sent under: the span of this attempt; its parent is that of the entry. */
  readonly traceparent: string | undefined;
  /** The flow that the delivery is a step of. */
  readonly flow?: string | undefined;
  /** Whether there was an answer that went on. */
  readonly hasReplied: boolean;
}
