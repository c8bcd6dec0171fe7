import type { ObjectType } from './object.ts';
import type { Past } from './past.ts';
import type { WatchListener } from './store.ts';

/** All that watch. Each reads the past at its own pace, so that it can neither miss a change nor see one twice. */
export class Watches {
  readonly #past: Past;
  readonly #open = new Set<Watch>();

  constructor(past: Past) {
    this.#past = past;
  }

  /** Begins after a version that the past knows, and ends by the returned function. */
  open(type: ObjectType, namespace: string | undefined, after: number, listener: WatchListener): () => void {
    const watch = new Watch(this.#past, { type, namespace, listener }, after);
    this.#open.add(watch);
    this.#catchUp(watch);
    return () => {
      watch.end();
      this.#open.delete(watch);
    };
  }

  /** Tells everybody of what has come into the past. */
  catchUp(): void {
    for (const watch of this.#open) this.#catchUp(watch);
  }

  /** Ends all of them. */
  end(): void {
    for (const watch of this.#open) watch.end();
    this.#open.clear();
  }

  #catchUp(watch: Watch): void {
    watch.catchUp();
    // By the fault of its listener.
    if (watch.hasEnded) this.#open.delete(watch);
  }
}

interface Interest {
  readonly type: ObjectType;
  readonly namespace: string | undefined;
  readonly listener: WatchListener;
}

class Watch {
  readonly #past: Past;
  readonly #interest: Interest;
  #seen: number;
  hasEnded = false;

  constructor(past: Past, interest: Interest, after: number) {
    this.#past = past;
    this.#interest = interest;
    this.#seen = after;
  }

  catchUp(): void {
    while (!this.hasEnded && this.#seen < this.#past.latest) this.#tell((this.#seen += 1));
  }

  end(): void {
    this.hasEnded = true;
  }

  #tell(version: number): void {
    const { type, namespace, listener } = this.#interest;
    const event = this.#past.at(version);
    const { key } = event;
    if (key.kind !== type.kind || key.group !== type.group) return;
    if (namespace !== undefined && key.namespace !== namespace) return;
    try {
      listener.event(event);
    } catch (error) {
      // As listeners of an EventTarget: the fault shows, and neither the write nor the other listeners have part in it.
      this.end();
      process.nextTick(() => {
        throw error;
      });
    }
  }
}
