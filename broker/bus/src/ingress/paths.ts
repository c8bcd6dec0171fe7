import type { RunningSource } from '@millrace/event/source';

import type { Inlet } from '../plan/plan.ts';

/** What the data port serves, by path. Changed while it runs. */
export interface Paths {
  readonly inlets: Map<string, Inlet>;
  /** Sources that are called, such as webhooks. */
  readonly receivers: Map<string, NonNullable<RunningSource['receive']>>;
  /** What answers for itself, with what lies below its path. */
  readonly doors: Map<string, Door>;
}

/** Takes a request as a whole and answers as a whole. Rejects when there is no answer, as with a {@link DoorRefusal}; then nothing was done. */
export type Door = (request: DoorRequest) => Promise<DoorAnswer>;

/** Why a door takes nothing: answered as the door of a broker answers (RFC 9457). */
export class DoorRefusal extends Error {
  override readonly name = 'DoorRefusal';
  /** The HTTP status that says so. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface DoorRequest {
  readonly method: string;
  /** What follows the path of the door: empty, or beginning with `/`. */
  readonly rest: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export interface DoorAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}
