import type { Revision } from './revision.ts';

/** The revisions of a function that take calls, and those that finish what they have. */
export class LiveRevisions {
  readonly #live = new Map<string, Revision>();
  readonly #ending = new Set<Revision>();
  readonly #roomListeners = new Set<() => void>();
  readonly #told = new Map<Revision, () => void>();

  get(name: string): Revision | undefined {
    return this.#live.get(name);
  }

  /** Those that take calls. */
  [Symbol.iterator](): Iterator<Revision> {
    return this.#live.values();
  }

  /** Also those that end. */
  all(): Revision[] {
    return [...this.#live.values(), ...this.#ending];
  }

  /** From now on it is the one of its name; another one that was finishes what it has. */
  put(revision: Revision): void {
    const { name } = revision.record;
    const before = this.#live.get(name);
    if (before === revision) return;
    this.#live.set(name, revision);
    this.#told.set(
      revision,
      revision.onRoom(() => this.#tell()),
    );
    if (before !== undefined) this.#end(before);
    this.#tell();
  }

  /** The others finish what they have. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const [name, revision] of this.#live) {
      if (names.has(name)) continue;
      this.#live.delete(name);
      this.#end(revision);
    }
  }

  /** Calls when there may be more room. The returned function ends that. */
  onRoom(listener: () => void): () => void {
    this.#roomListeners.add(listener);
    return () => this.#roomListeners.delete(listener);
  }

  async drain(): Promise<void> {
    await Promise.all(this.all().map((it) => it.drain()));
  }

  async close(): Promise<void> {
    await Promise.all(this.all().map((it) => it.close()));
  }

  #end(revision: Revision): void {
    this.#ending.add(revision);
    void revision.drain().finally(() => {
      this.#ending.delete(revision);
      this.#told.get(revision)?.();
      this.#told.delete(revision);
    });
  }

  #tell(): void {
    for (const listener of this.#roomListeners) listener();
  }
}
