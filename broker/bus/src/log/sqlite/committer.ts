import { Worker } from 'node:worker_threads';

import { LogBroken, LogFull } from '../log.ts';
import { GroupBuilder } from './group.ts';
import type { Names } from './names.ts';
import type { Task } from './tasks.ts';
import type { Request, Response } from './writer.ts';

/** Is told what became of a group. Called in the order of the commits. */
export interface Waiter {
  committed(): void;
  failed(error: Error): void;
}

/** What gathers while another group is being synced. */
interface Gathering {
  readonly group: GroupBuilder;
  readonly waiters: Waiter[];
  /** One promise for all who only want to know whether it is written. */
  written: PromiseWithResolvers<void> | undefined;
}

/** How long what nobody waits for may wait for company, in milliseconds. */
const PATIENCE_MS = 10;

/**
 * Group commit: while one group is being synced, what arrives gathers in the next. What somebody waits for goes at the
 * end of the turn in which it came, with all else that came in it; a message to a thread costs more than what is in it.
 */
export class Committer {
  readonly #worker: Worker;
  readonly #names: Names;
  #gathering: Gathering;
  #task: { task: Task; resolve: (count: number) => void; reject: (error: Error) => void }[] = [];
  #inFlight: ((response: Response) => void) | undefined;
  #scheduled: NodeJS.Immediate | undefined;
  #patience: NodeJS.Timeout | undefined;
  #broken: LogBroken | undefined;
  readonly #whenBroken = Promise.withResolvers<Error>();

  private constructor(worker: Worker, names: Names) {
    this.#worker = worker;
    this.#names = names;
    this.#gathering = this.#gather();
    worker.on('message', (response: Response) => this.#answered(response));
    worker.on('error', (error) => this.#break(error.message));
  }

  /** Resolves when the file is open and its tables are there; rejects with why it cannot be opened. */
  static async open(file: string, names: Names): Promise<Committer> {
    // The file beside this one: .ts where the sources run, .js where they are built.
    const url = new URL(`./writer${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url);
    const worker = new Worker(url, { workerData: { file } });
    const first = await new Promise<Response>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    if ('done' in first) return new Committer(worker, names);
    await worker.terminate();
    throw new Error('broken' in first ? first.broken : 'the database could not be opened');
  }

  /** Resolves with why, once nothing more can be written. */
  get broken(): Promise<Error> {
    return this.#whenBroken.promise;
  }

  /** Writes into the next group; the waiter is told. */
  contribute(write: (group: GroupBuilder) => void, waiter: Waiter): void {
    if (this.#broken !== undefined) {
      waiter.failed(this.#broken);
      return;
    }
    write(this.#gathering.group);
    this.#gathering.waiters.push(waiter);
    this.#schedule();
  }

  /**
   * Writes into the next group. Resolves when that is durable. What is patient may wait a little for others to be
   * written with.
   */
  write(write: (group: GroupBuilder) => void, isPatient: boolean): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const gathering = this.#gathering;
    write(gathering.group);
    gathering.written ??= Promise.withResolvers<void>();
    if (isPatient) this.#patience ??= setTimeout(() => this.#schedule(), PATIENCE_MS);
    else this.#schedule();
    return gathering.written.promise;
  }

  /** Runs a task as a transaction of its own, between the groups. */
  run(task: Task): Promise<number> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#task.push({ task, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves when everything contributed so far is decided and the thread has ended. */
  async close(): Promise<void> {
    while (this.#isBusy) {
      this.#schedule();
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
    const exited = new Promise((resolve) => {
      this.#worker.once('exit', resolve);
    });
    this.#worker.postMessage({ close: true } satisfies Request);
    await exited;
  }

  #schedule(): void {
    if (this.#inFlight !== undefined || this.#scheduled !== undefined) return;
    this.#scheduled = setImmediate(() => this.#send());
  }

  #send(): void {
    this.#scheduled = undefined;
    clearTimeout(this.#patience);
    this.#patience = undefined;
    const next = this.#task.shift();
    if (next !== undefined) {
      this.#inFlight = (response) => {
        if ('done' in response) next.resolve(response.done);
        else next.reject(this.#errorOf(response));
      };
      this.#worker.postMessage({ task: next.task } satisfies Request);
      return;
    }
    const { group, waiters, written } = this.#gathering;
    if (group.isEmpty) return;
    this.#gathering = this.#gather();
    this.#names.writeUnsaved(group);
    this.#inFlight = (response) => {
      if ('done' in response) {
        this.#names.saved();
        for (const waiter of waiters) waiter.committed();
        written?.resolve();
        return;
      }
      const error = this.#errorOf(response);
      for (const waiter of waiters) waiter.failed(error);
      written?.reject(error);
    };
    const built = group.build();
    this.#worker.postMessage({ group: built } satisfies Request, [built.data]);
  }

  get #isBusy(): boolean {
    return this.#inFlight !== undefined || !this.#gathering.group.isEmpty || this.#task.length > 0;
  }

  #gather(): Gathering {
    return { group: new GroupBuilder((name) => this.#names.numberOf(name)), waiters: [], written: undefined };
  }

  #answered(response: Response): void {
    const answer = this.#inFlight;
    this.#inFlight = undefined;
    if ('broken' in response) this.#break(response.broken);
    answer?.(response);
    if (!this.#gathering.group.isEmpty || this.#task.length > 0) this.#schedule();
  }

  #errorOf(response: Exclude<Response, { done: number }>): Error {
    if ('full' in response) return new LogFull(`no space left for the log (${response.full})`);
    return this.#broken ?? new LogBroken(response.broken);
  }

  #break(message: string): void {
    if (this.#broken !== undefined) return;
    this.#broken = new LogBroken(`a write or sync of the log failed (${message}); restart to recover what is on disk`);
    this.#whenBroken.resolve(this.#broken);
    const { waiters, written } = this.#gathering;
    this.#gathering = this.#gather();
    for (const waiter of waiters) waiter.failed(this.#broken);
    written?.reject(this.#broken);
    for (const { reject } of this.#task.splice(0)) reject(this.#broken);
    const answer = this.#inFlight;
    this.#inFlight = undefined;
    answer?.({ broken: message });
  }
}
