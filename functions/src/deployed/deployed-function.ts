import type { Handler } from '@millrace/event/handler';
import { HandlerFailure } from '@millrace/event/handler';
import type { WebAnswer, WebCall } from '@millrace/event/web';

import type { FunctionStatus, RunningFunction } from '../running-function.ts';
import type { Declared } from './declared.ts';
import { describeFunction } from './describe.ts';
import type { FunctionDescription } from './description.ts';
import type { RevisionRecord } from './record.ts';
import type { Revision } from './revision.ts';
import { Rollout } from './rollout.ts';
import type { RolloutOptions } from './rollout.ts';
import { statusOf } from './status.ts';
import { pick } from './traffic.ts';

export interface DeployedOptions extends RolloutOptions {
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** A declared function: gives each call to one of its revisions, and does with them what people ask for. */
export class DeployedFunction implements RunningFunction {
  readonly #rollout: Rollout;
  readonly #random: () => number;

  constructor(declared: Declared, options: DeployedOptions) {
    this.#random = options.random;
    this.#rollout = new Rollout(declared, options);
  }

  /** It is declared otherwise now. */
  change(declared: Declared): void {
    this.#rollout.change(declared);
  }

  /** Its code may be another one now. */
  lookAgain(): void {
    this.#rollout.lookAgain();
  }

  /** Where its code is, or was looked for. */
  get folders(): readonly string[] {
    return this.#rollout.seen.folders;
  }

  readonly handler: Handler = (event, context) => {
    const revision = this.#pick();
    return revision === undefined ? Promise.reject(this.#unavailable()) : revision.handler(event, context);
  };

  request(call: WebCall, { tag }: { readonly tag?: string | undefined } = {}): Promise<WebAnswer> {
    const revision = tag === undefined ? this.#pick() : this.#tagged(tag);
    if (revision !== undefined) return revision.request(call);
    if (tag === undefined || this.#rollout.latest === undefined) return Promise.reject(this.#unavailable());
    const tags = [...this.#rollout.split.tags.keys()].join(', ') || 'none';
    const message = `${this.#rollout.declared.name} has no revision of the tag ${tag}; its tags: ${tags}`;
    return Promise.reject(new HandlerFailure(message, { status: 404 }));
  }

  /** As much as every revision can take of its share. */
  room(): number {
    let room = Infinity;
    for (const { revision, percent } of this.#rollout.split.shares) {
      room = Math.min(room, Math.floor((this.#rollout.live.get(revision)!.room() * 100) / percent));
    }
    return room;
  }

  onRoom(listener: () => void): () => void {
    return this.#rollout.live.onRoom(listener);
  }

  warm(): void {
    for (const { revision } of this.#rollout.split.shares) this.#rollout.live.get(revision)!.warm();
  }

  status(): FunctionStatus {
    const serving = this.#rollout.split.shares.map(({ revision }) => this.#rollout.live.get(revision)!);
    return statusOf({ all: this.#rollout.live.all(), serving, problem: this.#rollout.problem });
  }

  describe(): FunctionDescription {
    return describeFunction(this.#rollout, this.status());
  }

  async drain(): Promise<void> {
    this.#rollout.end();
    await this.#rollout.live.drain();
  }

  /** Ends everything now; the calls that it has are rejected. Resolves when no instance is left. Idempotent. */
  async close(): Promise<void> {
    this.#rollout.end();
    await this.#rollout.live.close();
  }

  /**
   * Gives all calls to another revision: the one before, the one named, or `latest` again. Resolves with its name once
   * it has an instance that takes calls and the calls go to it. Rejects with an Error for people; nothing is changed
   * then.
   */
  async rollback(to?: string): Promise<string> {
    const record = this.#revisionToRollTo(to);
    const revision = this.#rollout.live.get(record.name) ?? this.#rollout.make(record);
    try {
      await revision.prove();
    } catch (error) {
      if (this.#rollout.live.get(record.name) !== revision) await revision.close();
      throw new Error(`${record.name} cannot start: ${(error as Error).message}`, { cause: error });
    }
    if (this.#rollout.isOver) {
      await revision.close();
      throw new Error(`${this.#rollout.declared.name} is being stopped`);
    }
    this.#rollout.pin(revision);
    return record.name;
  }

  /** Sets bounds in the place of the declared ones, for good; null lets the declared one hold again. */
  scale(bounds: { readonly min?: number | null | undefined; readonly max?: number | null | undefined }): void {
    const { minScale, maxScale } = this.#rollout.records.state;
    const min = bounds.min === undefined ? minScale : (bounds.min ?? undefined);
    const max = bounds.max === undefined ? maxScale : (bounds.max ?? undefined);
    for (const [name, value] of [
      ['min', min],
      ['max', max],
    ] as const) {
      if (value !== undefined && !(Number.isInteger(value) && value >= 0)) {
        throw new Error(`${name}: expected an integer >= 0, got ${value}`);
      }
    }
    if (min !== undefined && max !== undefined && max !== 0 && min > max) {
      throw new Error(`min: expected at most max, ${max}, got ${min}`);
    }
    this.#rollout.remember({ minScale: min, maxScale: max });
    for (const revision of this.#rollout.live) revision.setBounds({ minScale: min, maxScale: max });
  }

  #revisionToRollTo(to: string | undefined): RevisionRecord {
    const { revisions, state } = this.#rollout.records;
    const there = [...revisions.values()].filter((it) => it.name !== state.unproven);
    const names = there.map((it) => it.name).join(', ') || 'none';
    if (this.#rollout.latest === undefined)
      throw new Error(`${this.#rollout.declared.name} has no revision: ${this.#rollout.problem?.message}`);
    const current = revisions.get(this.#rollout.pinned ?? this.#rollout.latest);
    const record =
      to === undefined
        ? there.findLast((it) => it.number < (current?.number ?? Infinity))
        : revisions.get(to === 'latest' ? this.#rollout.latest : to);
    if (record === undefined) {
      const what = to === undefined ? `a revision before ${current?.name}` : `a revision ${to}`;
      throw new Error(`${this.#rollout.declared.name} has not got ${what}; there are: ${names}`);
    }
    if (!this.#rollout.isUsable(record)) {
      throw new Error(`the code of ${record.name} is not kept${record.notes.map((note) => `: ${note}`).join('')}`);
    }
    return record;
  }

  #pick(): Revision | undefined {
    const name = pick(this.#rollout.split.shares, this.#random);
    return name === undefined ? undefined : this.#rollout.live.get(name);
  }

  #tagged(tag: string): Revision | undefined {
    const name = this.#rollout.split.tags.get(tag);
    return name === undefined ? undefined : this.#rollout.live.get(name);
  }

  #unavailable(): HandlerFailure {
    return new HandlerFailure(this.#rollout.problem?.message ?? `${this.#rollout.declared.name} has no revision`, {
      status: 503,
    });
  }
}
