import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';

import { HandlerFailure } from '@millrace/event/handler';
import type { WebAnswer } from '@millrace/event/web';

import { chanceOf, saidSeed } from '../../../test/support/chance.ts';
import type { Clock } from '../clock.ts';
import { NotTaken } from '../runtime/runtime.ts';
import type { Instance, Runtime } from '../runtime/runtime.ts';
import { aContext, anEvent } from '../test-support.ts';
import { WORKLOAD_DEFAULTS } from '../workload.ts';
import { ScaledFunction } from './scaled-function.ts';

// The real scaling on a clock that jumps and instances that are only told of: so that hours of bursts and silences, and
// every order of "going to sleep" and "one more call", pass in seconds.

const SEED = saidSeed() ?? 20_260;

/** A clock that goes from timer to timer, and lets what follows from each happen before the next. */
class JumpingClock implements Clock {
  #now = 1_000_000;
  readonly #timers = new Set<{ dueAt: number; call: () => void }>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, call: () => void): () => void {
    const timer = { dueAt: this.#now + milliseconds, call };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  async pass(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      let next: { dueAt: number; call: () => void } | undefined;
      for (const timer of this.#timers) {
        if (timer.dueAt <= until && (next === undefined || timer.dueAt < next.dueAt)) next = timer;
      }
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.dueAt;
      next.call();
    }
    this.#now = until;
  }
}

/** What the instances saw, and what they should never see. */
interface Seen {
  answered: number;
  begun: number;
  alive: number;
  mostAlive: number;
  mostInFlight: number;
  readonly violations: string[];
}

interface World {
  readonly clock: JumpingClock;
  readonly chance: () => number;
  readonly concurrency: number;
  /** How likely a call ends its instance. */
  readonly crashes: number;
  readonly seen: Seen;
}

class ToldInstance implements Instance {
  readonly notes = [];
  readonly id: string;
  readonly ready: Promise<void>;
  readonly ended: Promise<string>;
  readonly #world: World;
  readonly #end: (how: string) => void;
  #inFlight = 0;
  #isStopping = false;
  #isGone = false;
  #idle: (() => void) | undefined;

  constructor(world: World) {
    this.#world = world;
    const { seen, clock, chance } = world;
    this.id = String((seen.begun += 1));
    seen.mostAlive = Math.max(seen.mostAlive, (seen.alive += 1));
    this.ready = new Promise((resolve) => clock.after(1 + chance() * 300, resolve));
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.#end = (how) => {
      if (this.#isGone) return;
      this.#isGone = true;
      seen.alive -= 1;
      resolve(how);
    };
  }

  async call(): Promise<WebAnswer> {
    const { seen, clock, chance, concurrency, crashes } = this.#world;
    // What is told to stop says so; that it is asked at all would be a mistake of whoever told it.
    if (this.#isStopping) seen.violations.push(`instance ${this.id} was called after it was told to stop`);
    if (this.#isStopping || this.#isGone) throw new NotTaken('stopping');
    this.#inFlight += 1;
    seen.mostInFlight = Math.max(seen.mostInFlight, this.#inFlight);
    if (concurrency > 0 && this.#inFlight > concurrency) seen.violations.push(`${this.#inFlight} calls at once`);
    const isCrash = chance() < crashes;
    await new Promise<void>((resolve) => clock.after(chance() * 40, resolve));
    this.#inFlight -= 1;
    if (this.#isGone || isCrash) {
      this.#end('was ended by SIGKILL');
      throw new HandlerFailure('crashed');
    }
    if (this.#inFlight === 0) this.#idle?.();
    seen.answered += 1;
    return { status: 204, rawHeaders: [], body: Readable.from([]) };
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#world.clock.after(5, () => this.#end('exited with code 0'));
    await this.ended;
  }

  async kill(): Promise<void> {
    this.#isStopping = true;
    this.#end('was ended by SIGKILL');
  }
}

function simulate(options: { concurrency: number; maxScale?: number; crashes?: number; seed?: number }) {
  const { concurrency, maxScale = 0, crashes = 0, seed = SEED } = options;
  const chance = chanceOf(seed).number;
  const clock = new JumpingClock();
  const seen: Seen = { answered: 0, begun: 0, alive: 0, mostAlive: 0, mostInFlight: 0, violations: [] };
  const runtime: Runtime = {
    start: () => new ToldInstance({ clock, chance, concurrency, crashes, seen }),
    async close() {},
  };
  const scaled = new ScaledFunction({
    workload: {
      ...WORKLOAD_DEFAULTS,
      name: 'default/simulated',
      code: { language: 'node', file: '/simulated' },
      concurrency,
      scaling: { ...WORKLOAD_DEFAULTS.scaling, windowMs: 6_000, maxScale },
    },
    runtime,
    log: () => {},
    clock,
  });
  const event = anEvent();
  /** Calls until it is answered, as a route does; counts how often. */
  const deliver = async (): Promise<void> => {
    for (;;) {
      try {
        await scaled.handler(event, aContext());
        return;
      } catch (error) {
        if (!(error instanceof HandlerFailure)) throw error;
        await new Promise<void>((resolve) => clock.after(error.retryAfterMs ?? 10, resolve));
      }
    }
  };
  return { chance, clock, seen, scaled, deliver };
}

// A window of 6 s, and one decision to be about to end and another to end: around here an instance goes to sleep.
const TO_ZERO_MS = 9_000;

describe(`scaling (seed ${SEED})`, () => {
  for (const { concurrency, crashes } of [
    { concurrency: 1, crashes: 0 },
    { concurrency: 0, crashes: 0 },
    { concurrency: 3, crashes: 0.02 },
  ]) {
    const how = crashes > 0 ? ', while instances die' : '';
    test(`loses nothing in bursts around the end of the idle time, concurrency ${concurrency}${how}`, async () => {
      const { chance, clock, seen, scaled, deliver } = simulate({ concurrency, crashes });
      const bursts = 3_400;
      const calls: Promise<void>[] = [];
      let came = 0;
      let slept = 0;
      for (let burst = 0; burst < bursts; burst += 1) {
        await clock.pass(TO_ZERO_MS + (chance() - 0.5) * 8_000);
        if (seen.alive === 0) slept += 1;
        for (let call = 1 + Math.floor(chance() * 3); call > 0; call -= 1) {
          calls.push(deliver());
          came += 1;
          if (chance() < 0.5) await clock.pass(chance() * 20);
        }
      }
      await clock.pass(60_000);
      await Promise.all(calls);
      assert.deepEqual(seen.violations, []);
      assert.equal(seen.answered, came);
      // The gaps do what they are for: some bursts meet an instance, some none.
      assert.ok(slept > bursts / 10 && slept < bursts * 0.9, `${slept} of ${bursts} bursts met no instance`);
      await clock.pass(TO_ZERO_MS + 40_000);
      assert.equal(seen.alive, 0);
      assert.equal(scaled.status().state, 'idle');
    });
  }

  test('never has more than maxScale instances with one call each, whatever the burst', async () => {
    const { chance, clock, seen, deliver } = simulate({ concurrency: 1, maxScale: 10 });
    const calls: Promise<void>[] = [];
    for (let round = 0; round < 5; round += 1) {
      for (let call = 0; call < 500; call += 1) calls.push(deliver());
      await clock.pass(chance() * 10_000);
    }
    await clock.pass(60_000);
    await Promise.all(calls);
    assert.deepEqual(seen.violations, []);
    assert.equal(seen.mostAlive, 10);
    assert.equal(seen.mostInFlight, 1);
    assert.equal(seen.answered, 2_500);
  });
});
