import assert from 'node:assert/strict';

import type { FunctionHost } from '@millrace/bus/control/ports';
import { openMemoryStore } from '@millrace/bus/log/memory';
import type { Entry, Position } from '@millrace/bus/log/log';
import type { Store } from '@millrace/bus/log/store';
import { makeEvent } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';
import type { Answer, Handler } from '@millrace/event/handler';
import { unavailable } from '@millrace/functions/unavailable';

import { startFlows } from './flows-life.ts';
import type { FlowsLife } from './flows-life.ts';
import { doorPath, planOf } from './flows-manifests.ts';
import { checkFlows, doingOf, madeBy } from './flows-model.ts';
import type { Version } from './flows-model.ts';
import type { Edit, FlowScenario, FlowStep } from './flows-scenario.ts';
import { startTime } from './time.ts';

const MOST_ROUNDS = 200;

/**
 * Runs real flows through a scenario, and on until nothing more happens. Resolves with what is then in the store; rejects
 * when that is not what the flows say.
 */
export async function simulateFlows(scenario: FlowScenario): Promise<Store> {
  const time = startTime([0]);
  const { environment } = time;
  const durableAt = new Map<Position, number>();
  const store = watched(openMemoryStore(), ({ position }) => durableAt.set(position, environment.now()));
  const chosen: (number | undefined)[] = scenario.flows.map(() => 0);
  const versions: Version[] = [];
  const accepted = new Set<string>();
  let writes = 0;
  let events = 0;
  let applying: Promise<unknown> = Promise.resolve();
  let wrong: unknown;

  const hostOf = (life: () => FlowsLife): FunctionHost => ({
    start: ({ service }) => ({
      ...unavailable('', ''),
      handler: handlerOf(service, life()),
      change() {},
    }),
  });
  const born = () => {
    const life: FlowsLife = startFlows({
      store,
      environment,
      latency: () => scenario.latencies[writes++ % scenario.latencies.length]!,
      functions: hostOf(() => life),
    });
    return life;
  };
  let life = born();

  function handlerOf(name: string, during: FlowsLife): Handler {
    return (event, context) => {
      if (during.isOver) return new Promise(() => {});
      const data = jsonOf(event);
      const doing = doingOf(scenario, name, data);
      return new Promise<Answer>((resolve, reject) => {
        context.onAbort!(reject);
        const answer = () => {
          if (during.isOver) return;
          const fails = doing.kind === 'refuse' || (doing.kind === 'fail' && context.attempt <= doing.times);
          if (fails) reject(new HandlerFailure('failed', { status: doing.kind === 'refuse' ? 400 : 503 }));
          else if (doing.kind === 'nothing') resolve({ status: 204 });
          else resolve({ status: 200, event: eventOf(event.type, `${event.id}.${name}`, madeBy(name, data)) });
        };
        if (doing.afterMs === 0) answer();
        else environment.after(doing.afterMs, answer);
      });
    };
  }

  /** What is declared now is applied, and nobody waits for that. */
  function apply(): void {
    const version: Version = { plan: planOf(scenario, chosen), from: environment.now(), until: Infinity };
    versions.push(version);
    const during = life;
    applying = applying
      .then(() => during.apply(version.plan))
      .then(
        () => {
          for (const it of versions.slice(0, versions.indexOf(version)))
            it.until = Math.min(it.until, environment.now());
        },
        (error: unknown) => (wrong ??= error),
      );
  }

  function choose({ flow, variant }: Edit): void {
    const plan = scenario.flows[flow];
    // The filters of a Choice lean on each other: it comes and goes, and does not change.
    if (plan !== undefined) chosen[flow] = variant === undefined || plan.kind !== 'Choice' ? variant : 0;
  }

  async function take(step: FlowStep): Promise<void> {
    switch (step.kind) {
      case 'enter': {
        const inlet = life.inlets.get(doorPath(scenario, step.door));
        if (inlet === undefined) return;
        const arrivals = step.events.map(({ type, items }) => {
          const n = (events += 1);
          const list = Array.from({ length: items }, (_, index) => ({ n: `${n}.${index}`, items: [index] }));
          return { event: eventOf(type, String(n), { n, items: list }) };
        });
        void life.gate
          .enter(inlet.topic, arrivals)
          .then((entries) => entries.forEach((it) => accepted.add(it.event.id)));
        return;
      }
      case 'pass':
        return time.pass(step.milliseconds);
      case 'edit':
        choose(step);
        return apply();
      case 'restart':
        if (step.abrupt) life.end();
        else {
          await time.until(applying);
          await time.until(life.drain());
          life.end();
        }
        applying = Promise.resolve();
        life = born();
        if (step.edit !== undefined) choose(step.edit);
        apply();
    }
  }

  const isStill = () =>
    life.pending === 0 &&
    [...life.retiring.routes].length === 0 &&
    [...life.dispatcher.routes].every((it) => it.isIdle && it.inFlight === 0);

  try {
    apply();
    await time.until(applying);
    for (const step of scenario.steps) {
      await take(step);
      await time.still();
      if (wrong !== undefined) throw wrong;
    }
    // In the end all is declared, so nothing waits for what is not.
    for (const [index, variant] of chosen.entries()) chosen[index] = variant ?? 0;
    apply();
    await time.until(applying);
    for (let rounds = 0; rounds < MOST_ROUNDS && !isStill(); rounds += 1) await time.pass(1_000);
    // Nothing comes after the end either.
    await time.pass(10_000);
    if (wrong !== undefined) throw wrong;
    const retiring = [...life.retiring.routes].map((it) => it.name);
    assert.deepEqual(retiring, [], 'routes that nothing declares have not ended');
    checkFlows(scenario, store, { versions, durableAt });
    for (const id of accepted) {
      const found = store.history.entries({ limit: 10, id, roots: true });
      assert.equal(found.length, 1, `event ${id} was accepted and is in the log ${found.length} times`);
    }
    const { routes } = versions.at(-1)!.plan;
    const declared = new Set([...routes.map((it) => it.name), ...routes.map((it) => `decides/${it.topic}`)]);
    const kept = [...store.progress.definitions().keys()].filter((name) => !declared.has(name));
    assert.deepEqual(kept, [], 'definitions of routes that have ended');
    assert.ok(isStill(), 'it does not become still');
    await time.until(life.drain());
    return store;
  } finally {
    life.end();
  }
}

/** Tells of each entry when it is in the log. */
function watched(store: Store, entered: (entry: Entry) => void): Store {
  const append: Store['log']['append'] = async (...all) => {
    const entries = await store.log.append(...all);
    entries.forEach(entered);
    return entries;
  };
  return { ...store, log: { ...store.log, append } };
}

function eventOf(type: string, id: string, data: unknown): CloudEvent {
  const attributes = { specversion: '1.0', id, source: '/simulation', type, datacontenttype: 'application/json' };
  return makeEvent(attributes, Buffer.from(JSON.stringify(data)));
}

function jsonOf({ data }: CloudEvent): unknown {
  return data === undefined ? undefined : JSON.parse(Buffer.from(data).toString());
}
