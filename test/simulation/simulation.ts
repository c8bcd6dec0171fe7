import type { Addressed } from '@millrace/bus/delivery/attempt';
import { facts } from '@millrace/bus/log/facts';
import type { Attempted } from '@millrace/bus/log/facts';
import type { Position } from '@millrace/bus/log/log';
import type { Stage } from '@millrace/bus/log/progress';
import { openMemoryStore } from '@millrace/bus/log/memory';
import type { Store } from '@millrace/bus/log/store';
import type { Route, Target } from '@millrace/bus/plan/plan';
import { makeEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';
import type { Answer, Handler } from '@millrace/event/handler';

import { startLife } from './life.ts';
import type { Life } from './life.ts';
import { Model } from './model.ts';
import { WANTS } from './scenario.ts';
import type { Answering, Appended, RoutePlan, Scenario, Step } from './scenario.ts';
import { startTime } from './time.ts';

/**
 * Runs the real dispatcher through a scenario, and on until nothing more happens. Resolves with what is then in the
 * store; rejects when something happens that must not.
 */
export async function simulate(scenario: Scenario): Promise<Store> {
  const time = startTime(scenario.chances);
  const store = openMemoryStore();
  const plans = new Map(scenario.routes.map((plan, index) => [`route/${index}`, plan]));
  const model = new Model(plans, store, () => time.environment.now());
  const { latencies, mostHops = 3 } = scenario;
  const stopping = new Map<string, Promise<void>>();
  const declared = new Set<string>();
  let writes = 0;
  let numbers = 0;
  let appended = 0;
  let wrong: unknown;

  /** What is found inside a handler would only be a failure of that handler. */
  const watch = (look: () => void) => {
    try {
      look();
    } catch (error) {
      wrong ??= error;
    }
  };
  const born = () =>
    startLife({
      store,
      environment: time.environment,
      latency: () => latencies[writes++ % latencies.length]!,
      number: () => (numbers += 1),
    });
  let life = born();

  const positionOf = (number: unknown): Position =>
    store.history.entries({ limit: Number.MAX_SAFE_INTEGER }).find((it) => it.event.extensions['number'] === number)!
      .position;

  function subscriber(route: string, stage: Stage, answers: readonly Answering[], during: Life): Handler {
    return (event, context) => {
      const { number } = event.extensions as { number: number };
      const isLate = Number(context.headers['millrace-hops']) > mostHops;
      const answering = isLate
        ? ({ kind: 'take', afterMs: 0 } as const)
        : answers[(number * 7 + context.attempt) % answers.length]!;
      if (during.isOver) return new Promise(() => {});
      const { attempt } = context;
      watch(() => model.begun({ route, position: positionOf(number), stage, attempt, answering }));
      return new Promise<Answer>((resolve, reject) => {
        context.onAbort!(reject);
        if (answering.kind === 'hang') return;
        time.environment.after(answering.afterMs, () => {
          if (!during.isOver) answer(answering, resolve, reject);
        });
      });
    };
  }

  const addressed = (route: string, stage: Stage, target: NonNullable<RoutePlan['deadLetter']>): Addressed =>
    'topic' in target
      ? { address: `topic/${target.topic}`, topic: `topic/${target.topic}` }
      : { address: stage, handler: subscriber(route, stage, target.answers, life) };

  async function declare(name: string): Promise<void> {
    const plan = plans.get(name);
    if (plan === undefined || declared.has(name)) return;
    declared.add(name);
    await time.until(stopping.get(name) ?? Promise.resolve());
    const end = store.log.end(`topic/${plan.topic}`);
    await time.until(
      life.dispatcher.start(routeOf(name, plan), {
        subscriber: addressed(name, 'subscriber', plan.target),
        deadLetterSink: plan.deadLetter === undefined ? undefined : addressed(name, 'deadLetterSink', plan.deadLetter),
      }),
    );
    model.declared(name, end);
  }

  async function take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'append': {
        const events = step.events.map((it) => eventOf(it, (appended += 1)));
        void life.gate.enter(
          `topic/${step.topic}`,
          events.map((event) => ({ event })),
        );
        return;
      }
      case 'pass':
        return time.pass(step.milliseconds);
      case 'remove': {
        const name = `route/${step.route}`;
        if (declared.delete(name)) stopping.set(name, life.dispatcher.stop(name));
        return;
      }
      case 'declare':
        return declare(`route/${step.route}`);
      case 'redrive': {
        const letters = store.deadLetters.list({ limit: Number.MAX_SAFE_INTEGER });
        await store.deadLetters.redrive(letters, time.environment.now());
        watch(() => letters.forEach((letter) => model.redriven(letter)));
        for (const route of new Set(letters.map((it) => it.route))) life.dispatcher.route(route)?.wake();
        return;
      }
      case 'restart':
        if (step.abrupt) {
          life.end();
          model.crashed();
        } else {
          await time.until(Promise.all(stopping.values()));
          await time.until(life.dispatcher.drain());
          life.end();
        }
        stopping.clear();
        life = born();
        const again = [...declared].filter((name) => name !== `route/${step.without}`);
        declared.clear();
        for (const name of again) await declare(name);
    }
  }

  /** Throws what was found, and looks at what stands still. */
  const check = () => {
    if (wrong !== undefined) throw wrong;
    if (life.pending === 0) for (const route of declared) model.checkBusy(route);
  };
  const told = (message: unknown) => watch(() => model.ended(message as Attempted));
  facts.attempted.subscribe(told);
  try {
    for (const name of plans.keys()) await declare(name);
    for (const step of scenario.steps) {
      await take(step);
      await time.still();
      check();
    }
    for (const name of plans.keys()) await declare(name);
    for (let rounds = 0; rounds < 500 && !(model.isSettled() && life.pending === 0); rounds += 1) {
      await time.pass(1_000);
      check();
    }
    // Nothing comes after the end either.
    await time.pass(60_000);
    check();
    model.checkEnd();
    await time.until(life.dispatcher.drain());
    check();
    return store;
  } finally {
    life.end();
    facts.attempted.unsubscribe(told);
  }
}

function answer(answering: Answering, resolve: (answer: Answer) => void, reject: (error: Error) => void): void {
  switch (answering.kind) {
    case 'take':
      return resolve({ status: 202 });
    case 'reply':
      return resolve({ status: 200, event: eventOf(answering.event, 'reply') });
    case 'refuse':
      return reject(new HandlerFailure(`answered ${answering.status}`, answering));
    case 'break':
      return reject(new Error('broken'));
  }
}

function eventOf({ type, key }: Appended, id: number | string) {
  return makeEvent({ specversion: '1.0', id: String(id), source: '/simulation', type, partitionkey: key }, undefined);
}

function routeOf(name: string, plan: RoutePlan): Route {
  const { ordered, concurrency, retry, backoffPolicy, backoffDelayMs } = plan;
  const { backoffMaxMs, retryAfterMaxMs, timeoutMs, replyTopic } = plan;
  const target = (to: NonNullable<RoutePlan['deadLetter']>): Target =>
    'topic' in to ? { kind: 'topic', topic: `topic/${to.topic}` } : { kind: 'url', url: 'http://simulated/' };
  return {
    name,
    key: name,
    sinkCondition: 'SubscriberResolved',
    namespace: 'default',
    topic: `topic/${plan.topic}`,
    filter: WANTS[plan.wants].filter,
    target: target(plan.target),
    replyTopic: replyTopic === undefined ? undefined : `topic/${replyTopic}`,
    deadLetter: plan.deadLetter === undefined ? undefined : target(plan.deadLetter),
    delivery: {
      retry,
      backoffPolicy,
      backoffDelayMs,
      backoffMaxMs,
      retryAfterMaxMs,
      timeoutMs,
      format: 'binary',
      ordered,
      concurrency,
    },
    manner: 'broker',
  };
}
