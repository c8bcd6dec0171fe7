import type { Environment } from '../environment.ts';
import { LogFull } from '../log/log.ts';
import type { Progress, Settlement } from '../log/progress.ts';
import type { Made } from './attempt.ts';

const SETTLE_AGAIN_AFTER_MS = 1_000;

/** Writes what became of attempts. */
export class Settler {
  readonly #progress: Progress;
  readonly #environment: Environment;
  readonly #settled: ((settlement: Settlement) => void) | undefined;
  readonly #writing = new Set<Promise<void>>();

  /** `settled` is told what became of each attempt when that is durable. */
  constructor(options: {
    readonly progress: Progress;
    readonly environment: Environment;
    readonly settled?: ((settlement: Settlement) => void) | undefined;
  }) {
    this.#progress = options.progress;
    this.#environment = options.environment;
    this.#settled = options.settled;
  }

  /** Outcomes that are being written. */
  get size(): number {
    return this.#writing.size;
  }

  /**
   * Resolves when it is durable. Tries again while there is no space; when the log is broken it resolves all the same, as
   * the process is about to end.
   */
  settle(made: Made): Promise<void> {
    const written = this.#write(made).finally(() => this.#writing.delete(written));
    this.#writing.add(written);
    return written;
  }

  /** Resolves when nothing is being written. */
  async drain(): Promise<void> {
    await Promise.allSettled(this.#writing);
  }

  async #write({ settlement, isWritten }: Made): Promise<void> {
    for (let isDurable = isWritten; !isDurable;) {
      try {
        await this.#progress.settle([settlement]);
        isDurable = true;
      } catch (error) {
        if (!(error instanceof LogFull)) return;
        await new Promise<void>((resolve) => {
          this.#environment.after(SETTLE_AGAIN_AFTER_MS, resolve);
        });
      }
    }
    this.#settled?.(settlement);
  }
}
