import type { Draft, Position } from '../log.ts';
import type { SavedPosition, Settlement } from '../progress.ts';
import { attributesOf } from '@millrace/event/json';

/**
 * What is written together, packed for its way to the writer's thread: a flat array of plain values, which the
 * structured clone copies quickly, and one buffer with all data, which is handed over and not copied.
 *
 *   values = ( NAME id name
 *            | ENTRY position topic arrivedAt hops cause route headers attributes dataOffset dataLength
 *            | DELIVERED route position startedAt duration status        (a SETTLE of a first attempt that succeeded)
 *            | SETTLE route position attempt stage outcome startedAt duration status failure root
 *                     waited nextDueAt nextStage nextTries
 *            | SAVE route position
 *            | FINDABLE id position
 *            | DEFINE route definition )*
 *
 * Topics and routes are numbers; absent values are null; dataLength -1 stands for no data.
 */
export interface Group {
  readonly values: readonly Value[];
  readonly data: ArrayBuffer;
}

export type Value = string | number | null;

export const NAME = 0;
export const ENTRY = 1;
export const SETTLE = 2;
export const SAVE = 3;
export const DELIVERED = 4;
export const FINDABLE = 5;
export const DEFINE = 6;

/** Gathers a group. `numberOf` gives the number of a topic or route. */
export class GroupBuilder {
  readonly #values: Value[] = [];
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  readonly #numberOf: (name: string) => number;

  constructor(numberOf: (name: string) => number) {
    this.#numberOf = numberOf;
  }

  get isEmpty(): boolean {
    return this.#values.length === 0;
  }

  /** About how much will be written, in bytes. */
  get size(): number {
    return this.#bytes + this.#values.length * 16;
  }

  name(id: number, name: string): void {
    this.#values.push(NAME, id, name);
  }

  entry(position: Position, draft: Draft): void {
    const { event, cause, headers } = draft;
    const { data } = event;
    this.#values.push(
      ENTRY,
      position,
      this.#numberOf(draft.topic),
      draft.arrivedAt,
      draft.hops,
      cause === undefined ? null : cause.position,
      cause === undefined ? null : this.#numberOf(cause.route),
      headers === undefined ? null : JSON.stringify(headers),
      JSON.stringify(attributesOf(event)),
      this.#bytes,
      data === undefined ? -1 : data.byteLength,
    );
    if (draft.findable === true) this.#values.push(FINDABLE, event.id, position);
    if (data === undefined) return;
    this.#chunks.push(data);
    this.#bytes += data.byteLength;
  }

  settle(settlement: Settlement): void {
    const { route, position, startedAt, duration, status, next, failure, root } = settlement;
    const isUsual = settlement.outcome === 'delivered' && settlement.stage === 'subscriber' && settlement.attempt === 1;
    if (isUsual && !settlement.waited) {
      this.#values.push(DELIVERED, this.#numberOf(route), position, startedAt, duration, status ?? null);
      return;
    }
    this.#values.push(
      SETTLE,
      this.#numberOf(route),
      position,
      settlement.attempt,
      settlement.stage,
      settlement.outcome,
      startedAt,
      duration,
      status ?? null,
      failure === undefined ? null : JSON.stringify(failure),
      root === undefined ? null : JSON.stringify(root),
      settlement.waited ? 1 : 0,
      next === undefined ? null : next.dueAt,
      next === undefined ? null : next.stage,
      next === undefined ? null : next.tries,
    );
  }

  save(saved: SavedPosition): void {
    this.#values.push(SAVE, this.#numberOf(saved.route), saved.position);
  }

  define(route: string, definition: string | undefined): void {
    this.#values.push(DEFINE, this.#numberOf(route), definition ?? null);
  }

  build(): Group {
    const data = new ArrayBuffer(this.#bytes);
    const view = new Uint8Array(data);
    let offset = 0;
    for (const chunk of this.#chunks) {
      view.set(chunk, offset);
      offset += chunk.byteLength;
    }
    return { values: this.#values, data };
  }
}
