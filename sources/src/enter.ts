import type { CloudEvent } from '@millrace/event/event';
import { refusalIn } from '@millrace/event/source';
import type { Outlet, Refusal } from '@millrace/event/source';

/** How events are brought to an outlet. */
export interface Entering {
  readonly outlet: Outlet;
  /** Offers until that succeeds, and resolves with true; with false when there is no point in it any more. */
  readonly insist: (offer: () => Promise<void>) => Promise<boolean>;
  /** Where what is too large for a dead letter, too, can still be found, as a clause. Default: nothing is said of it. */
  readonly staysIn?: string;
}

/**
 * Brings events to the outlet, in their order: emits all at once, or, where one of them will never be taken, each by
 * itself and parks that one with the reason. Resolves with false when there was no point in it any more.
 */
export async function enter(events: readonly CloudEvent[], entering: Entering): Promise<boolean> {
  const { outlet, insist, staysIn } = entering;
  let refusal: Refusal | undefined;
  const isOver = await insist(async () => {
    try {
      await outlet.emit(events);
      refusal = undefined;
    } catch (error) {
      refusal = refusalIn(error);
      if (refusal === undefined) throw error;
    }
  });
  if (!isOver || refusal === undefined) return isOver;
  if (events.length > 1) {
    // One of them keeps the others out.
    for (const event of events) if (!(await enter([event], entering))) return false;
    return true;
  }
  const { status, message } = refusal;
  const [event] = events;
  if (status !== TOO_LARGE) return insist(() => outlet.park(event!, message));
  // Too much to be kept as a dead letter, too.
  const reason = staysIn === undefined ? message : `${message}; ${staysIn}`;
  return insist(() => outlet.park({ ...event!, data: undefined }, reason));
}

const TOO_LARGE = 413;
