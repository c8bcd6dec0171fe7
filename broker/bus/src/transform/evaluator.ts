import { systemEnvironment } from '../environment.ts';
import type { Environment } from '../environment.ts';
import type { Evaluation, Failed } from './evaluation.ts';
import { Worker } from './worker.ts';
import type { WorkerOptions } from './worker.ts';

/** Evaluates JSONata away from whatever else goes on: an expression can neither hold up nor end the process that asks. */
export interface Evaluator {
  /**
   * Evaluates an expression with an input, both as text; the input is JSON. Resolves with what came of it, also when
   * that is a failure; rejects only with the reason of the signal, at once.
   */
  evaluate(expression: string, input: string, signal?: AbortSignal): Promise<Evaluation>;
  /** Resolves when nothing of it runs any more. What was not done yet is `unavailable`. */
  close(): Promise<void>;
}

export interface EvaluatorOptions {
  /** How many expressions are evaluated at once. Default 2. */
  readonly workers?: number;
  /** How long one evaluation may take, in milliseconds. Default 5 000. */
  readonly timeoutMs?: number;
  /** How large the heap of a worker may get, in MiB. Default 128. */
  readonly memoryMb?: number;
  /** How many bytes of data an event may have; the JSON of a result may be as long as such an event's ever is. */
  readonly maxBytes: number;
  /** How long a worker waits for work before it ends, in milliseconds. Default 30 000. */
  readonly idleMs?: number;
  /** What measures both times. Default: the machine's clock. */
  readonly environment?: Pick<Environment, 'after'>;
}

/**
 * An evaluator whose workers start when they are first needed and end when they have had nothing to do for a while.
 *
 *   evaluate ─▶ queue ─▶ worker (one evaluation at a time) ─▶ value | nothing | failed
 *                          └ ends: a loop, a full heap, a crash ─▶ failed | unavailable; the next one takes a new worker
 */
export function openEvaluator(options: EvaluatorOptions): Evaluator {
  return new Pool(options);
}

/** In JSON, a control character of one byte takes six: `\u0001`. */
const LONGEST_ESCAPE = 6;
const BYTES_FOR_ATTRIBUTES = 65_536;

interface Job {
  readonly expression: string;
  readonly input: string;
  readonly settle: (evaluation: Evaluation) => void;
}

/** A worker without work. */
interface Idle {
  readonly worker: Worker;
  /** Calls off its end. */
  readonly callOff: () => void;
}

class Pool implements Evaluator {
  readonly #most: number;
  readonly #idleMs: number;
  readonly #options: WorkerOptions;
  readonly #queue = new Set<Job>();
  readonly #workers = new Set<Worker>();
  /** The last one is taken first: its caches are warm, and the others may end. */
  readonly #idle: Idle[] = [];
  #isClosed = false;

  constructor(options: EvaluatorOptions) {
    const { workers = 2, timeoutMs = 5_000, memoryMb = 128, maxBytes, idleMs = 30_000 } = options;
    const { environment = systemEnvironment } = options;
    this.#most = workers;
    this.#idleMs = idleMs;
    this.#options = {
      timeoutMs,
      memoryMb,
      environment,
      longestResultBytes: maxBytes * LONGEST_ESCAPE + BYTES_FOR_ATTRIBUTES,
    };
  }

  evaluate(expression: string, input: string, signal?: AbortSignal): Promise<Evaluation> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        resolve(CLOSED);
        return;
      }
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const abort = () => {
        // What has been begun goes on to its end, which is near; nobody hears of it.
        this.#queue.delete(job);
        reject(signal!.reason as Error);
      };
      const job: Job = {
        expression,
        input,
        settle(evaluation) {
          signal?.removeEventListener('abort', abort);
          resolve(evaluation);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#queue.add(job);
      this.#work();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { callOff } of this.#idle.splice(0)) callOff();
    for (const job of this.#queue) job.settle(CLOSED);
    this.#queue.clear();
    await Promise.all([...this.#workers].map((worker) => worker.close()));
  }

  #work(): void {
    for (const job of this.#queue) {
      const worker = this.#takeWorker();
      if (worker === undefined) return;
      this.#queue.delete(job);
      if (worker instanceof Worker) void this.#run(worker, job);
      else job.settle(worker);
    }
  }

  /** One without work, or a new one; undefined when all are at work, and why when none can be started. */
  #takeWorker(): Worker | Failed | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      idle.callOff();
      if (!idle.worker.hasEnded) return idle.worker;
    }
    return this.#workers.size < this.#most ? this.#startWorker() : undefined;
  }

  #startWorker(): Worker | Failed {
    try {
      const worker = new Worker(this.#options);
      this.#workers.add(worker);
      void worker.ended.then(() => {
        this.#workers.delete(worker);
        this.#work();
      });
      return worker;
    } catch (error) {
      // Most of what is wrong with a start is told later, but not all of it: a lack of memory, for one.
      return { kind: 'unavailable', reason: `its process cannot be started (${(error as Error).message})` };
    }
  }

  async #run(worker: Worker, job: Job): Promise<void> {
    job.settle(await worker.run(job));
    if (worker.hasEnded || this.#isClosed) return;
    const callOff = this.#options.environment.after(this.#idleMs, () => {
      this.#idle.splice(this.#idle.indexOf(idle), 1);
      void worker.close();
    });
    const idle: Idle = { worker, callOff };
    this.#idle.push(idle);
    this.#work();
  }
}

const CLOSED: Evaluation = { kind: 'unavailable', reason: 'the evaluator was closed' };
