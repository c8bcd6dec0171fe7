import type { CloudEvent } from './event.ts';
import type { Headers } from './handler.ts';

/**
 * A source brings the world's happenings in as events. It knows where to put them (the outlet) and tells how it is.
 *
 * `start` returns at once; connecting happens afterwards and is told through `report`. What the source cannot do
 * now (no Kafka broker there) it keeps trying with backoff; it never throws for it.
 */
export type StartSource<Options> = (
  options: Options,
  outlet: Outlet,
  report: (status: SourceStatus) => void,
) => RunningSource;

/** Where a source puts what it brings. */
export interface Outlet {
  /**
   * Resolves when every event is durable; only then may the source commit, acknowledge or answer 202.
   * Rejects when none or not all are: the source must offer them again (at least once), but for a {@link refusalIn},
   * which stays the same however often they are offered.
   */
  emit(events: readonly CloudEvent[], headers?: Headers): Promise<void>;
  /**
   * Keeps an input that cannot go on as a dead letter of the source, with the reason, so that the source can move on.
   * Resolves when that is durable.
   */
  park(event: CloudEvent, reason: string): Promise<void>;
}

/** What a source says of itself; it becomes the conditions of its resource. */
export interface SourceStatus {
  readonly ready: boolean;
  /** One CamelCase word: `Connected`, `ConnectionFailed`, `TopicNotFound` … */
  readonly reason: string;
  /** A sentence for people: what is wrong and what to do. No secrets. */
  readonly message: string;
}

export interface RunningSource {
  /** For sources that are called (webhooks): one HTTP request in, one response out. Never rejects. */
  readonly receive?: (request: WebRequest) => Promise<WebResponse>;
  /** Stops taking; resolves when what was taken is durable and committed. Idempotent. */
  drain(): Promise<void>;
}

export interface WebRequest {
  readonly method: string;
  /** Path and query as they stood in the request line. */
  readonly url: string;
  /** Names and values in turn, as `node:http` gives them. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

export interface WebResponse {
  readonly status: number;
  readonly headers?: Record<string, string>;
  /** A JSON body, or none. */
  readonly body?: unknown;
}

/** Why an event will never be taken: it is too large, or not as a schema wants it. */
export interface Refusal {
  /** As HTTP would say it: 400 to 499. */
  readonly status: number;
  readonly message: string;
}

/** The refusal that an outlet's rejection is; undefined for what may pass, such as a full disk. */
export function refusalIn(error: unknown): Refusal | undefined {
  const { status, message } = (error ?? {}) as { status?: unknown; message?: unknown };
  const isOne = typeof status === 'number' && status >= 400 && status < 500 && status !== 408 && status !== 429;
  return isOne ? { status, message: String(message) } : undefined;
}
