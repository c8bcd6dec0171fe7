import type { CloudEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';
import type { Answer, HandlerContext } from '@millrace/event/handler';

import { GateRefusal } from '../log/gate.ts';
import type { Entry, Position } from '../log/log.ts';
import { LogFull } from '../log/log.ts';
import { ITEM_HEADER, withoutPrivate } from '../log/private-headers.ts';
import type { MapTarget } from '../plan/plan.ts';
import { Decision } from './decision.ts';
import { failedParts, gathered } from './gathering.ts';
import type { Gathering } from './gathering.ts';
import { itemEvent, Items, itemsOf } from './items.ts';
import { outcomeOf } from './part-outcome.ts';
import type { PartOutcome } from './part-outcome.ts';
import type { Strand } from './strands.ts';

/** The type of the event that tells what came of the items of a Map. */
export const MAPPED_TYPE = 'dev.millrace.map.joined';

const EMIT_AGAIN_AFTER_MS = 1_000;
/** So many failed items are named. */
const MOST_REASONS = 5;

/**
 * A Map as the one who takes its events: an event is taken when all items of its list have ended, and the answer tells
 * what came of them, in order. Which items are there already stands in the log: a process that begins half way makes
 * none of them again.
 */
export function openMap(
  flow: string,
  target: MapTarget,
  gathering: Gathering,
): (entry: Entry, context: HandlerContext) => Promise<Answer> {
  return async (entry, context) => {
    const items = new Items(() => itemsOf(stored(entry, gathering), target.itemsPath));
    const parts = await new MapUnderWay(entry, context, { flow, target, items, gathering }).end();
    const numbered = parts.map((it, index) => [index, it] as const);
    return gathered(entry, flow, { type: MAPPED_TYPE, as: 'item', parts: numbered }, gathering);
  };
}

/** The event of an entry with its data. */
function stored({ position }: Entry, { log }: Gathering): CloudEvent {
  const found = log.get(position);
  if (found === undefined) throw new HandlerFailure('the event is not stored any more', { status: 410 });
  return found.event;
}

interface MapOptions {
  readonly flow: string;
  readonly target: MapTarget;
  readonly items: Items;
  readonly gathering: Gathering;
}

/** The items of one event. */
class MapUnderWay {
  readonly #options: MapOptions;
  readonly #entry: Entry;
  readonly #context: HandlerContext;
  readonly #outcomes: PartOutcome[] = [];
  readonly #open = new Set<Strand>();
  readonly #decision: Decision<readonly PartOutcome[]>;
  /** Where items stand that an earlier process has made, by index. */
  readonly #made: ReadonlyMap<number, Position>;
  #next = 0;
  #ended = 0;
  #failed = 0;
  #emitting: Promise<void> | undefined;

  constructor(entry: Entry, context: HandlerContext, options: MapOptions) {
    this.#options = options;
    this.#entry = entry;
    this.#context = context;
    const { target, gathering } = options;
    const { environment, history } = gathering;
    const { deadlineMs } = target;
    this.#decision = new Decision({ entry, deadlineMs, context, environment, late: () => this.#giveUp() });
    this.#made = new Map(
      history
        .replies(entry.position)
        .filter((it) => it.topic === target.items)
        .map((it) => [Number(it.headers?.[ITEM_HEADER]), it.position]),
    );
    this.#look();
  }

  /** Resolves with what came of each item, in order; rejects when too many have failed. */
  async end(): Promise<readonly PartOutcome[]> {
    const { strands, cancel } = this.#options.gathering;
    try {
      return await this.#decision.made;
    } finally {
      // What is being written is there when somebody begins anew: so none of it is made twice.
      await this.#emitting;
      for (const strand of this.#open) {
        strands.forget(strand);
        if (!this.#decision.isAborted) void cancel(strand.at);
      }
    }
  }

  #look(): void {
    if (this.#decision.isMade) return;
    const { items, target } = this.#options;
    if (this.#failed > target.toleratedFailures) {
      this.#decision.fail(
        failedParts(`${this.#failed} of ${items.length} items failed: ${this.#reasons().join('; ')}`),
      );
    } else if (this.#ended === items.length) {
      this.#decision.make(this.#outcomes);
    } else if (this.#emitting === undefined && this.#next < items.length && this.#open.size < target.concurrency) {
      this.#emitting = this.#emit()
        .catch((error: unknown) => this.#decision.fail(error))
        .finally(() => {
          this.#emitting = undefined;
          this.#look();
        });
    }
  }

  /** Makes as many items as may be under way, in one write. */
  async #emit(): Promise<void> {
    const { flow, target, items, gathering } = this.#options;
    const from = this.#next;
    const until = Math.min(items.length, from + target.concurrency - this.#open.size);
    this.#next = until;
    const indices = Array.from({ length: until - from }, (_, offset) => from + offset);
    const missing = indices.filter((index) => !this.#made.has(index));
    const { position, hops, headers } = this.#entry;
    const arrivals = missing.map((index) => ({
      event: itemEvent(this.#entry, flow, index, items.at(index)),
      headers: { ...withoutPrivate(headers), ...this.#travelling(), [ITEM_HEADER]: String(index) },
      hops: hops + 1,
      cause: { position, route: target.items },
    }));
    const entered = arrivals.length === 0 ? [] : await this.#enter(arrivals);
    const entries = new Map(missing.map((index, at) => [index, entered[at]!]));
    // Also when it is decided meanwhile: what is open then is called off.
    for (const [index, made] of entries) this.#follow(index, made.position);
    // Only what an earlier process has made has a past.
    const earlier = indices.filter((index) => this.#made.has(index));
    gathering.strands.catchUp(earlier.map((index) => this.#follow(index, this.#made.get(index)!)));
  }

  async #enter(arrivals: Parameters<Gathering['gate']['enter']>[1]): Promise<readonly Entry[]> {
    const { target, gathering } = this.#options;
    for (;;) {
      try {
        return await gathering.gate.enter(target.items, arrivals);
      } catch (error) {
        // What the gate refuses, it refuses again.
        if (error instanceof GateRefusal)
          throw new HandlerFailure(error.message, { status: error.status, cause: error });
        if (!(error instanceof LogFull) || this.#decision.isMade) throw error;
        await new Promise<void>((resolve) => {
          gathering.environment.after(EMIT_AGAIN_AFTER_MS, resolve);
        });
      }
    }
  }

  #travelling(): Record<string, string> {
    const { traceparent } = this.#context.headers;
    return traceparent === undefined ? {} : { traceparent };
  }

  #follow(index: number, position: Position): Strand {
    const { target, gathering } = this.#options;
    const strand = gathering.strands.follow({ position, route: target.items }, (end) => {
      const outcome = outcomeOf(end);
      this.#outcomes[index] = outcome;
      this.#open.delete(strand);
      this.#ended += 1;
      if (outcome.outcome === 'failed') this.#failed += 1;
      this.#look();
    });
    this.#open.add(strand);
    return strand;
  }

  #reasons(): string[] {
    const all = this.#outcomes.flatMap((it, index) => (it.outcome === 'failed' ? [`item ${index}: ${it.reason}`] : []));
    return all.length <= MOST_REASONS ? all : [...all.slice(0, MOST_REASONS), 'and others'];
  }

  #giveUp(): void {
    if (this.#decision.isMade) return;
    const { items } = this.#options;
    this.#decision.fail(
      failedParts(`${items.length - this.#ended} of ${items.length} items have not ended by the deadline`),
    );
  }
}
