import type { GroupBuilder } from './group.ts';

/** The numbers that stand for topics and routes in the tables. */
export class Names {
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<number, string>();
  #unsaved: [name: string, id: number][] = [];
  #writing = 0;

  constructor(known: Iterable<[name: string, id: number]>) {
    for (const [name, id] of known) this.#learn(name, id);
  }

  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const id = this.#names.size + 1;
    this.#learn(name, id);
    this.#unsaved.push([name, id]);
    return id;
  }

  nameOf(id: number): string {
    return this.#names.get(id) ?? `#${id}`;
  }

  /** Numbers that no group has made durable yet go with every group until one is. */
  writeUnsaved(group: GroupBuilder): void {
    for (const [name, id] of this.#unsaved) group.name(id, name);
    this.#writing = this.#unsaved.length;
  }

  saved(): void {
    this.#unsaved.splice(0, this.#writing);
    this.#writing = 0;
  }

  #learn(name: string, id: number): void {
    this.#numbers.set(name, id);
    this.#names.set(id, name);
  }
}
