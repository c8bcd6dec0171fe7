import { randomUUID } from 'node:crypto';

import { StoreBroken, StoreFull } from './errors.ts';
import type { Journal } from './journal.ts';
import type { KubernetesObject, ObjectKey, ObjectType } from './object.ts';
import type { Past } from './past.ts';
import type { Present } from './present.ts';
import type { Change, ObjectList, ObjectStore, WatchListener } from './store.ts';
import { copied, Transaction } from './transaction.ts';
import type { Environment } from './transaction.ts';
import { Watches } from './watches.ts';

/** The machine's own clock and chance. */
export const systemEnvironment: Environment = { now: Date.now, uid: randomUUID };

/** What waits for the next commit. */
interface Pending extends PromiseWithResolvers<readonly KubernetesObject[]> {
  readonly changes: readonly Change[];
}

/**
 * The store of every adapter: it answers from memory, and what it adds to that it has given to the journal before.
 * Writes of one turn are one commit, since the sync that ends it costs more than all that is in it.
 */
export class JournaledStore implements ObjectStore {
  readonly #journal: Journal;
  readonly #environment: Environment;
  readonly #present: Present;
  readonly #past: Past;
  readonly #watches: Watches;
  #pending: Pending[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  #stopped: StoreBroken | undefined;
  readonly #whenBroken = Promise.withResolvers<StoreBroken>();

  /** Takes over what the journal has kept. */
  constructor(journal: Journal, kept: { present: Present; past: Past }, environment: Environment) {
    this.#journal = journal;
    this.#present = kept.present;
    this.#past = kept.past;
    this.#watches = new Watches(kept.past);
    this.#environment = environment;
  }

  get resourceVersion(): string {
    return String(this.#past.latest);
  }

  get broken(): Promise<StoreBroken> {
    return this.#whenBroken.promise;
  }

  get(key: ObjectKey): KubernetesObject | undefined {
    return this.#present.get(key);
  }

  list(type: ObjectType, namespace?: string): ObjectList {
    return { items: this.#present.list(type, namespace), resourceVersion: this.resourceVersion };
  }

  async write(changes: readonly Change[]): Promise<readonly KubernetesObject[]> {
    if (this.#stopped !== undefined) throw this.#stopped;
    const promised = Promise.withResolvers<readonly KubernetesObject[]>();
    this.#pending.push({ changes: changes.map(copied), ...promised });
    this.#scheduled ??= setImmediate(() => this.#commit());
    return promised.promise;
  }

  watch(type: ObjectType, namespace: string | undefined, after: string, listener: WatchListener): () => void {
    return this.#watches.open(type, namespace, this.#past.known(after), listener);
  }

  async compact(keepLast: number): Promise<void> {
    // Not in the midst of what a listener does: those who watch have not seen all of it then.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    if (this.#stopped !== undefined) throw this.#stopped;
    const upTo = this.#past.latest - keepLast;
    if (upTo <= this.#past.oldest) return;
    this.#durably(() => this.#journal.forget(upTo));
    this.#past.forget(upTo);
  }

  async close(): Promise<void> {
    if (this.#stopped instanceof Closed) return;
    this.#commit();
    this.#watches.end();
    this.#stopped = new Closed('the store is closed');
    this.#journal.close();
  }

  #commit(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const pending = this.#pending.splice(0);
    const transaction = new Transaction(this.#present, this.#past.latest, this.#environment);
    const answers = pending.map(({ changes, resolve, reject }) => {
      try {
        const objects = transaction.add(changes);
        return () => resolve(objects);
      } catch (error) {
        return () => reject(error);
      }
    });
    try {
      if (transaction.events.length > 0) this.#durably(() => this.#journal.commit(transaction.events));
    } catch (error) {
      // Also those that were refused: they may have been measured against what is not there.
      for (const { reject } of pending) reject(error);
      return;
    }
    for (const event of transaction.events) {
      this.#present.set(event.key, event.type === 'DELETED' ? undefined : event.object);
      this.#past.push(event);
    }
    for (const answer of answers) answer();
    this.#watches.catchUp();
  }

  /** Lets the journal do something. What it throws but a lack of space is the end. */
  #durably(work: () => void): void {
    if (this.#stopped !== undefined) throw this.#stopped;
    try {
      work();
    } catch (error) {
      if (error instanceof StoreFull) throw error;
      const { message } = error as Error;
      this.#stopped = new StoreBroken(`a write or sync of the objects failed (${message}); restart to recover them`);
      this.#whenBroken.resolve(this.#stopped);
      throw this.#stopped;
    }
  }
}

class Closed extends StoreBroken {}
