import { HandlerFailure } from '@millrace/event/handler';

import type { Instance } from './runtime.ts';
import type { Workload } from '../workload.ts';

/** How long a broken connection waits to be explained by the end of the process, and the end by the last output. */
const EXPLANATION_MS = 1_000;

/**
 * Why a call that had reached the code came to no end: it was given up, or the connection broke. Mostly the process
 * ended then; how it ended is the reason.
 */
export async function brokenCall(
  workload: Workload,
  instance: Pick<Instance, 'ended'>,
  signal: AbortSignal,
  error: unknown,
): Promise<HandlerFailure> {
  if (error instanceof HandlerFailure) return error;
  if (signal.aborted) {
    const { reason } = signal as { reason: unknown };
    if (reason instanceof HandlerFailure) return reason;
    return new HandlerFailure('was given up: nobody waits for the answer any more', { cause: reason });
  }
  const end = await withinExplanation(instance.ended);
  const what = end ?? `broke the connection (${String(error)})`;
  return new HandlerFailure(`${workload.name} crashed while it had the event: it ${what}`, { cause: error });
}

/** What the promise resolves with, or undefined when that takes too long. */
export async function withinExplanation<T>(promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, EXPLANATION_MS, undefined);
  });
  const first = await Promise.race([promise, late]);
  clearTimeout(timer);
  return first;
}
