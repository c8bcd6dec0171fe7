import { HandlerFailure } from '@millrace/event/handler';

import type { Slot } from './member.ts';

/** A call that waits for an instance with room. It is given a slot or rejected, once. */
export interface Turn {
  readonly signal: AbortSignal;
  resolve(slot: Slot): void;
  reject(failure: HandlerFailure): void;
}

/** The turns of a function, in the order in which they came. A turn whose signal aborts goes by itself. */
export interface WaitingTurns {
  readonly size: number;
  /** Adds a turn, at the end or before all others; resolves with the slot that it is given. */
  wait(signal: AbortSignal, at: 'end' | 'front'): Promise<Slot>;
  /** Takes the first one out. */
  next(): Turn | undefined;
  rejectAll(failure: HandlerFailure): void;
}

/** An empty queue; `gaveUp` is told after a turn has gone by itself. */
export function makeWaitingTurns(gaveUp: () => void): WaitingTurns {
  // A set keeps the order, and lets go of any of its members at once.
  let turns = new Set<Turn>();
  return {
    get size() {
      return turns.size;
    },
    async wait(signal, at) {
      const { promise, resolve, reject } = Promise.withResolvers<Slot>();
      const turn: Turn = { signal, resolve, reject };
      const giveUp = (): void => {
        if (!turns.delete(turn)) return;
        const cause: unknown = signal.reason;
        reject(new HandlerFailure('was given up before an instance had room for it', { cause }));
        gaveUp();
      };
      if (at === 'end') turns.add(turn);
      else turns = new Set([turn, ...turns]);
      signal.addEventListener('abort', giveUp);
      try {
        return await promise;
      } finally {
        signal.removeEventListener('abort', giveUp);
      }
    },
    next() {
      const turn = turns.values().next().value;
      if (turn !== undefined) turns.delete(turn);
      return turn;
    },
    rejectAll(failure) {
      for (const turn of turns) turn.reject(failure);
      turns.clear();
    },
  };
}
