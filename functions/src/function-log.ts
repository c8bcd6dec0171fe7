/** One line that a function wrote, secrets masked. A line longer than 16 KiB comes in several. */
export interface FunctionLog {
  /** `namespace/service`. */
  readonly function: string;
  readonly instance: string;
  readonly stream: 'stdout' | 'stderr';
  /** Without the line break. */
  readonly text: string;
  /** The event that it was working on, where that is certain enough: it had no other, or it said so itself. */
  readonly eventId?: string;
  /** The trace that the call about this event belongs to: 32 hexadecimal digits, of its `traceparent` (W3C). */
  readonly traceId?: string;
  /** Milliseconds since 1970, when it was read. */
  readonly time: number;
}
