import type { Entry, Position } from '../log/log.ts';
import type { Settlement } from '../log/progress.ts';
import { Cancellation } from './cancellation.ts';

/** An attempt that can be called off. */
interface UnderWay {
  readonly attempt: number;
  readonly cancellation: Cancellation;
  /** Resolves when its outcome is written. */
  readonly written: Promise<Settlement>;
}

/** What of a route has to do with calling deliveries off. */
export class CallingOff {
  readonly #underWay = new Map<Position, UnderWay>();
  readonly #cancelling = new Map<Position, Promise<boolean>>();
  /** Called off before it was begun, and not yet come by. */
  readonly #passOver = new Set<Position>();

  /** The number of the attempt that is under way; undefined when none is. */
  attemptOf(position: Position): number | undefined {
    return this.#underWay.get(position)?.attempt;
  }

  /** An attempt begins that can be called off; `make` resolves when its outcome is written. */
  begin(
    position: Position,
    attempt: number,
    make: (cancellation: Cancellation) => Promise<Settlement>,
  ): Promise<Settlement> {
    const cancellation = new Cancellation();
    const written = make(cancellation).finally(() => this.#underWay.delete(position));
    this.#underWay.set(position, { attempt, cancellation, written });
    return written;
  }

  /** Ends all that is under way as if it had not begun. */
  giveBack(): void {
    for (const { cancellation } of this.#underWay.values()) cancellation.giveBack();
  }

  /**
   * Calls a delivery off; once, however often it is asked for. `cancelIdle` does it when no attempt is under way, and
   * resolves with false when it is over.
   */
  cancel(entry: Entry, cancelIdle: () => Promise<boolean>): Promise<boolean> {
    const { position } = entry;
    let cancelling = this.#cancelling.get(position);
    if (cancelling === undefined) {
      cancelling = this.#cancel(position, cancelIdle).finally(() => this.#cancelling.delete(position));
      this.#cancelling.set(position, cancelling);
    }
    return cancelling;
  }

  isCancelling(position: Position): boolean {
    return this.#cancelling.has(position);
  }

  /** When it comes by, it is not to be begun. */
  passOver(position: Position): void {
    this.#passOver.add(position);
  }

  /** Whether this is not to be begun; asked once, when it comes by. */
  isPassedOver(position: Position): boolean {
    return this.#passOver.size > 0 && this.#passOver.delete(position);
  }

  async #cancel(position: Position, cancelIdle: () => Promise<boolean>): Promise<boolean> {
    for (let made = this.#underWay.get(position); made !== undefined; made = this.#underWay.get(position)) {
      made.cancellation.cancel();
      try {
        if ((await made.written).outcome === 'cancelled') return true;
      } catch {
        // It was given back: the route ends, and does no more about it.
        return false;
      }
    }
    return cancelIdle();
  }
}
