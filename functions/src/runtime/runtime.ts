import type { WebAnswer, WebCall } from '@millrace/event/web';

import type { FunctionLog } from '../function-log.ts';
import type { Workload } from '../workload.ts';

/**
 * Where instances of functions live: processes of this machine, containers, or a cluster. An instance is a program
 * that answers HTTP. How many there are and which one gets a call is not the runtime's business.
 */
export interface Runtime {
  /**
   * Begins an instance. Returns at once; `ready` says whether it came up. Throws only when there is no room to begin
   * one at all (no space, no memory, too many open files), and has left nothing behind then.
   */
  start(workload: Workload, log: (line: FunctionLog) => void): Instance;
  /** Lets go of what it holds ready for instances to come. Instances that still are there end. Idempotent. */
  close(): Promise<void>;
}

/** One running copy of an author's code. */
export interface Instance {
  /** Tells it from its siblings, in logs. */
  readonly id: string;
  /** Resolves when it takes calls; rejects with an Error for people when it never will (it is gone by itself then). */
  readonly ready: Promise<void>;
  /** What cannot be kept of its workload here, such as a limit of memory, in words; empty when all can. */
  readonly notes: readonly string[];
  /** Why it takes no calls now, as its probe saw it last; undefined while it does, or nothing is known. */
  readonly notReady?: string | undefined;
  /** After `ready`: hears of every change between taking calls and, because its probe fails, taking none for now. */
  onReadiness?(listener: (isReady: boolean) => void): void;
  /**
   * One exchange; it lasts until the answer's body has ended or is destroyed. Resolves when the head of the answer is
   * there. Rejects with {@link NotTaken} when nothing of it reached the code, so that another instance may have it;
   * with a `HandlerFailure` otherwise, after the signal has aborted too. When it aborts, the code may still be at work.
   * `eventId` is the event that the call is about, for the lines that it prints.
   */
  call(call: WebCall, eventId?: string): Promise<WebAnswer>;
  /** Resolves when nothing of it is left, with how it ended: `exited with code 1; last on stderr: …`. Never rejects. */
  readonly ended: Promise<string>;
  /** Takes nothing more, finishes what it has, and ends. Resolves with `ended`. Idempotent. */
  stop(): Promise<void>;
  /** Ends it now, with all that it has started. Resolves with `ended`. Idempotent. */
  kill(): Promise<void>;
}

/** The call never reached the code: the instance was stopping or gone. It may go to another one without harm. */
export class NotTaken extends Error {
  override readonly name = 'NotTaken';
}
