import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { Environment } from '../environment.ts';
import type { Evaluation } from './evaluation.ts';
import type { Arguments, Request, Response } from './jsonata-process.ts';

export interface WorkerOptions {
  /** For one evaluation, in milliseconds. */
  readonly timeoutMs: number;
  /** For the heap, in MiB. */
  readonly memoryMb: number;
  readonly longestResultBytes: number;
  readonly environment: Pick<Environment, 'after'>;
}

/**
 * A process that evaluates, from its start to its end. It is a process and no thread: V8 ends the whole process, all
 * threads included, when one allocation goes far beyond a thread's limit, as `$split` of a long text does.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #answer: ((evaluation: Evaluation) => void) | undefined;
  #whyEnded: Evaluation | undefined;
  #timedOut = false;
  #isClosing = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#child = start(options);
    this.#child.on('message', (response: Response) => {
      if (response === 'ready') this.#ready.resolve();
      else this.#answer?.(response);
    });
    this.#child.once('exit', (code, signal) => this.#end(this.#reasonOf(code, signal)));
    this.#child.on('error', (error) => {
      // A process that was never there does not exit either.
      if (this.#child.pid === undefined) this.#end(unavailable(`its process cannot be started (${error.message})`));
    });
  }

  /** Undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether it evaluates nothing any more. */
  get hasEnded(): boolean {
    return this.#whyEnded !== undefined;
  }

  /** Resolves when the process has gone, for whatever reason. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Evaluates one expression; the one before must have been answered. Resolves at the latest when the process ends. */
  async run({ expression, input }: Request): Promise<Evaluation> {
    await this.#ready.promise;
    if (this.#whyEnded !== undefined) return this.#whyEnded;
    const { environment, timeoutMs } = this.#options;
    const { promise, resolve } = Promise.withResolvers<Evaluation>();
    this.#answer = resolve;
    const callOff = environment.after(timeoutMs, () => {
      this.#timedOut = true;
      this.#child.kill('SIGKILL');
    });
    // When it cannot be sent, the process is ending, which answers.
    this.#child.send({ expression, input } satisfies Request, () => {});
    const evaluation = await promise;
    callOff();
    this.#answer = undefined;
    return evaluation;
  }

  /** Ends the process at once. Resolves when it has gone. */
  close(): Promise<void> {
    this.#isClosing = true;
    this.#child.kill('SIGKILL');
    return this.ended;
  }

  #end(why: Evaluation): void {
    if (this.#whyEnded !== undefined) return;
    this.#whyEnded = why;
    this.#ready.resolve();
    this.#answer?.(why);
    this.#ended.resolve();
  }

  #reasonOf(code: number | null, signal: NodeJS.Signals | null): Evaluation {
    const { timeoutMs, memoryMb } = this.#options;
    if (this.#isClosing) return unavailable('the evaluator was closed');
    if (this.#timedOut) return { kind: 'failed', reason: `timed out after ${durationOf(timeoutMs)}` };
    // V8 aborts when the heap is full.
    if (signal === 'SIGABRT') return { kind: 'failed', reason: `used more than ${memoryMb} MiB` };
    return unavailable(`its process ended with ${signal ?? code}`);
  }
}

/** Ends by itself after this many times the time of an evaluation, when there is nobody left who would end it. */
const ORPHAN_TIMES = 2;

function start({ timeoutMs, memoryMb, longestResultBytes }: WorkerOptions): ChildProcess {
  // The file beside this one: .ts where the sources run, .js where they are built.
  const name = `./jsonata-process${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`;
  const args: Arguments = [String(longestResultBytes), String(timeoutMs * ORPHAN_TIMES)];
  return fork(fileURLToPath(new URL(name, import.meta.url)), args, {
    // Whatever an expression may find a way to, there is nothing to find, to write or to start.
    env: {},
    execArgv: [`--max-old-space-size=${memoryMb}`, '--permission', '--allow-fs-read=*'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

function unavailable(reason: string): Evaluation {
  return { kind: 'unavailable', reason };
}

function durationOf(milliseconds: number): string {
  return milliseconds % 1_000 === 0 ? `${milliseconds / 1_000} s` : `${milliseconds} ms`;
}
