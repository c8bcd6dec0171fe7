import assert from 'node:assert/strict';

import type { Attempted } from '@millrace/bus/log/facts';
import type { DeadLetterKey } from '@millrace/bus/log/history';
import type { Entry, Position } from '@millrace/bus/log/log';
import type { Settlement, Stage } from '@millrace/bus/log/progress';
import type { Store } from '@millrace/bus/log/store';

import type { Answering, RoutePlan } from './scenario.ts';
import { checkCauses } from './causes.ts';
import { WANTS } from './scenario.ts';

/** What is known of one entry and one route. */
interface Delivery {
  /** Of the attempts made, the highest number. */
  attempt: number;
  /** Attempts since it arrived or was redriven, by stage. */
  made: Record<Stage, number>;
  /** Attempts that succeeded. */
  taken: number;
  next: { readonly dueAt: number; readonly stage: Stage } | undefined;
  isFinal: boolean;
  /** Whether a crash may have taken from the store what became of it. */
  isUncertain: boolean;
  answering: Answering | undefined;
  /** When it was redriven last, and when its attempts since then began: by the model's count of such happenings. */
  redrivenAt: number;
  beganAt: number | undefined;
}

/** One attempt as a subscriber sees its beginning. */
export interface Begun {
  readonly route: string;
  readonly position: Position;
  readonly stage: Stage;
  readonly attempt: number;
  readonly answering: Answering;
}

/** What must hold, whatever happens: told of each thing that happens, it throws at the first that must not. */
export class Model {
  readonly #plans: ReadonlyMap<string, RoutePlan>;
  readonly #store: Store;
  readonly #now: () => number;
  readonly #deliveries = new Map<string, Map<Position, Delivery>>();
  #happenings = 0;
  readonly #active = new Map<string, Set<Position>>();
  /** The end of the log when a route was first declared. */
  readonly #declaredAt = new Map<string, Position>();

  constructor(plans: ReadonlyMap<string, RoutePlan>, store: Store, now: () => number) {
    this.#plans = plans;
    this.#store = store;
    this.#now = now;
  }

  declared(route: string, position: Position): void {
    if (!this.#declaredAt.has(route)) this.#declaredAt.set(route, position);
  }

  begun({ route, position, stage, attempt, answering }: Begun): void {
    const where = `${route}, entry ${position}, attempt ${attempt} at ${stage}`;
    const { concurrency, ordered } = this.#plans.get(route)!;
    const active = this.#activeOf(route);
    const delivery = this.#deliveryOf(route, position);
    const { isUncertain, next } = delivery;
    assert.ok(this.#wanted(route).includes(position), `${where}: not wanted`);
    assert.ok(!active.has(position), `${where}: another attempt of it is under way`);
    active.add(position);
    assert.ok(active.size <= concurrency, `${where}: ${active.size} are under way, ${concurrency} may be`);
    if (isUncertain) assert.ok(attempt <= delivery.attempt + 1, `${where}: attempts are left out`);
    else {
      assert.ok(!delivery.isFinal, `${where}: it is finished for good`);
      assert.equal(attempt, delivery.attempt + 1, `${where}: attempts are counted on`);
      assert.equal(stage, next?.stage ?? 'subscriber', where);
      assert.ok(next === undefined || next.dueAt <= this.#now(), `${where}: before its wait is over`);
    }
    delivery.answering = answering;
    delivery.beganAt ??= this.#happened();
    if (ordered) this.#checkOrder(route, position, where);
  }

  ended({ entry, settlement }: Attempted): void {
    const { route, stage, attempt, outcome, next } = settlement;
    const where = `${route}, entry ${entry.position}, attempt ${attempt} at ${stage}`;
    const plan = this.#plans.get(route)!;
    const delivery = this.#deliveryOf(route, entry.position);
    this.#activeOf(route).delete(entry.position);
    delivery.attempt = attempt;
    delivery.made[stage] += 1;
    delivery.next = next;
    delivery.isFinal = next === undefined;
    const made = delivery.made[stage];
    if (!delivery.isUncertain) assert.ok(made <= plan.retry + 1, `${where}: ${made} attempts of ${plan.retry + 1}`);
    if (outcome === 'delivered' || outcome === 'deadLettered') delivery.taken += 1;
    else this.#checkFailed(settlement, delivery, plan, where);
    delivery.answering = undefined;
  }

  redriven({ route, position }: DeadLetterKey): void {
    const delivery = this.#deliveryOf(route, position);
    assert.ok(delivery.isFinal, `${route}, entry ${position} is a dead letter and not finished`);
    delivery.isFinal = false;
    delivery.made = { subscriber: 0, deadLetterSink: 0 };
    delivery.next = { dueAt: this.#now(), stage: 'subscriber' };
    delivery.redrivenAt = this.#happened();
    delivery.beganAt = undefined;
  }

  /** What was under way is not any more, and what was not written has not been. */
  crashed(): void {
    this.#active.clear();
    for (const [route, deliveries] of this.#deliveries) {
      for (const [position, delivery] of deliveries) {
        delivery.isUncertain = true;
        delivery.isFinal = this.#isFinalInStore(route, position);
      }
    }
  }

  /** To be asked of a route that runs, when nothing is being written: hands that are free leave nothing undone. */
  checkBusy(route: string): void {
    const { concurrency, ordered } = this.#plans.get(route)!;
    const active = this.#activeOf(route);
    if (active.size >= concurrency) return;
    const waiting = new Map(
      this.#store.progress.waiting(route, Number.MAX_SAFE_INTEGER).map((it) => [it.position, it.dueAt]),
    );
    const open = this.#wanted(route).filter((position) => !this.#isFinalInStore(route, position));
    let held = active.size;
    for (const position of open) {
      if (active.has(position) || waiting.get(position)! > this.#now()) continue;
      // What an ordered route holds for keys that are under way takes the place of what it would read otherwise.
      if (held >= concurrency) return;
      const key = this.#keyOf(position);
      const isHeldUp = ordered && open.some((other) => other !== position && this.#keyOf(other) === key);
      assert.ok(isHeldUp, `${route}, entry ${position}: nobody takes it up, and only ${active.size} are under way`);
      held += 1;
    }
  }

  /** Whether nothing more is to be expected. */
  isSettled(): boolean {
    return this.#declaredAt
      .keys()
      .every((route) => this.#wanted(route).every((position) => this.#isFinalInStore(route, position)));
  }

  /** To be asked when nothing happens any more. */
  checkEnd(): void {
    checkCauses(this.#store.history.entries({ limit: Number.MAX_SAFE_INTEGER }));
    for (const route of this.#declaredAt.keys()) {
      assert.deepEqual([...this.#activeOf(route)], [], `${route}: attempts are under way`);
      for (const position of this.#wanted(route)) {
        const where = `${route}, entry ${position}`;
        assert.ok(this.#isFinalInStore(route, position), `${where}: neither delivered nor a dead letter`);
        const { taken, isUncertain } = this.#deliveryOf(route, position);
        const isDead = this.#isDead(route, position);
        if (isUncertain) assert.ok(taken > 0 || isDead, `${where}: lost`);
        else assert.equal(taken, isDead ? 0 : 1, `${where}: taken so often`);
      }
    }
  }

  #checkFailed(
    { outcome, stage, failure, startedAt, duration, next }: Settlement,
    delivery: Delivery,
    plan: RoutePlan,
    where: string,
  ): void {
    const made = delivery.made[stage];
    const { answering } = delivery;
    const again = isWorthAnother(failure?.status) && (made <= plan.retry || delivery.isUncertain);
    if (outcome === 'parked') {
      assert.ok(!again || delivery.isUncertain, `${where}: parked with ${plan.retry + 1 - made} attempts left`);
      assert.ok(stage === 'deadLetterSink' || plan.deadLetter === undefined, `${where}: parked past the sink`);
      return;
    }
    const endedAt = startedAt + duration;
    if (next!.stage !== stage) {
      assert.equal(next!.dueAt, endedAt, `${where}: the dead letter sink gets it at once`);
      assert.ok(!again || delivery.isUncertain, `${where}: dead with ${plan.retry + 1 - made} attempts left`);
      return;
    }
    assert.ok(again, `${where}: tried again after ${failure?.status}`);
    const least = waitOf(next!.tries, plan, failure?.status, answering);
    const wait = next!.dueAt - endedAt;
    assert.ok(wait >= Math.floor(least) && wait <= Math.ceil(least * 1.1), `${where}: waits ${wait} ms, not ${least}`);
  }

  #happened(): number {
    this.#happenings += 1;
    return this.#happenings;
  }

  #checkOrder(route: string, position: Position, where: string): void {
    const key = this.#keyOf(position);
    for (const other of this.#activeOf(route)) {
      assert.ok(other === position || this.#keyOf(other) !== key, `${where}: beside entry ${other} of the same key`);
    }
    for (const other of this.#wanted(route)) {
      if (other >= position) break;
      if (this.#keyOf(other) !== key) continue;
      // What is redriven while a later one is in the midst of its attempts comes after that one.
      if (this.#deliveryOf(route, other).redrivenAt > this.#deliveryOf(route, position).beganAt!) continue;
      assert.ok(this.#deliveryOf(route, other).isFinal, `${where}: before entry ${other} of the same key is finished`);
    }
  }

  /** In the order of the log. */
  #wanted(route: string): Position[] {
    const { topic, wants } = this.#plans.get(route)!;
    const from = this.#declaredAt.get(route) ?? 0;
    return this.#entries(`topic/${topic}`)
      .filter(({ position, event }) => position > from && WANTS[wants].wants(event.type))
      .map((entry) => entry.position);
  }

  #keyOf(position: Position): unknown {
    return this.#store.log.get(position)!.event.extensions['partitionkey'];
  }

  #entries(topic: string): Entry[] {
    return this.#store.history.entries({ limit: Number.MAX_SAFE_INTEGER, topic }).toReversed();
  }

  #isDead(route: string, position: Position): boolean {
    return this.#store.deadLetters.list({ route, position, limit: 1 }).length > 0;
  }

  #isFinalInStore(route: string, position: Position): boolean {
    if (this.#store.history.waitingFor(position).some((it) => it.route === route)) return false;
    const attempts = this.#store.history.attempts(position).filter((it) => it.route === route);
    return attempts.some((it) => it.outcome !== 'retrying');
  }

  #activeOf(route: string): Set<Position> {
    const active = this.#active.get(route) ?? new Set();
    this.#active.set(route, active);
    return active;
  }

  #deliveryOf(route: string, position: Position): Delivery {
    const deliveries = this.#deliveries.get(route) ?? new Map<Position, Delivery>();
    this.#deliveries.set(route, deliveries);
    const delivery = deliveries.get(position) ?? {
      attempt: 0,
      made: { subscriber: 0, deadLetterSink: 0 },
      taken: 0,
      next: undefined,
      isFinal: false,
      isUncertain: false,
      answering: undefined,
      redrivenAt: 0,
      beganAt: undefined,
    };
    deliveries.set(position, delivery);
    return delivery;
  }
}

const WORTH_ANOTHER = new Set([404, 408, 409, 429]);

function isWorthAnother(status: number | undefined): boolean {
  return status === undefined || status >= 500 || WORTH_ANOTHER.has(status);
}

/** Milliseconds before retry `k`, without jitter, as the design says them. */
function waitOf(k: number, plan: RoutePlan, status: number | undefined, answering: Answering | undefined): number {
  let wait = plan.backoffPolicy === 'linear' ? plan.backoffDelayMs * k : plan.backoffDelayMs * 2 ** (k - 1);
  if (plan.backoffMaxMs !== undefined && wait > plan.backoffMaxMs) wait = plan.backoffMaxMs;
  const isHonoured = status === 429 || status === 503;
  const asked = isHonoured && answering?.kind === 'refuse' ? (answering.retryAfterMs ?? 0) : 0;
  return Math.max(wait, Math.min(asked, plan.retryAfterMaxMs ?? asked));
}
