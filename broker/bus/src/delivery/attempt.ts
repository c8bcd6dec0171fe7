import type { CloudEvent, Extensions } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';
import type { Answer, Handler, Headers } from '@millrace/event/handler';

import type { Environment } from '../environment.ts';
import { GateRefusal, HOPS_HEADER } from '../log/gate.ts';
import type { Gate } from '../log/gate.ts';
import { LogFull } from '../log/log.ts';
import type { Entry } from '../log/log.ts';
import type { Failure, Settlement, Stage } from '../log/progress.ts';
import type { Route } from '../plan/plan.ts';
import { withoutPrivate } from '../log/private-headers.ts';
import type { Callee } from './callee.ts';
import { Cancelled } from './cancellation.ts';
import type { Cancellation } from './cancellation.ts';
import { AttemptDeadline } from './deadline.ts';
import { asDeadLetter, failureOf } from './dead-letter.ts';
import { isRetriable, waitBefore } from './policy.ts';

/** A target that a route sends to, and its address in the words of error extensions. A topic is entered by the gate. */
export type Addressed = { readonly address: string } & (
  | {
      readonly handler: Handler;
      /** Where it is a function of ours. */
      readonly callee?: () => Callee | undefined;
      /** Where somebody waits for an answer: what is replied when there will be none any more, for this reason. */
      readonly lastWord?: (event: CloudEvent, ended: Ended, error: unknown) => Answer;
    }
  | { readonly topic: string }
);

export interface Targets {
  readonly subscriber: Addressed;
  /** Undefined when none is declared. */
  readonly deadLetterSink: Addressed | undefined;
}

/** The attempt after which there is no other. */
export interface Ended {
  readonly headers: Headers | undefined;
  readonly attempt: number;
  readonly startedAt: number;
}

/** One attempt that is to be made. */
export interface Work {
  readonly entry: Entry;
  /** From 1, through all stages. */
  readonly attempt: number;
  readonly stage: Stage;
  /** Attempts of this stage that were made before. */
  readonly tries: number;
  /** Why the subscriber failed, for the dead letter sink. */
  readonly failure: Failure | undefined;
  /** Whether it waited in the store for this. */
  readonly waited: boolean;
  /** What travels with it: the headers of the entry under a span of this attempt's own. */
  readonly headers: Headers | undefined;
  /** Where it can be called off. */
  readonly cancellation?: Cancellation | undefined;
}

export interface AttemptContext {
  readonly route: Route;
  readonly targets: Targets;
  readonly gate: Gate;
  readonly environment: Environment;
}

/**
 * Makes one attempt and tells what became of it; never rejects.
 *
 *   subscriber ── took it ──▶ reply, if any ──▶ gate ── in ──▶ delivered
 *      │ failed                                  └─ refused ─┐
 *      ├─ called off ──▶ cancelled                           │
 *      ├─ retriable, and retries left ──▶ retrying           │
 *      └─ otherwise ◀────────────────────────────────────────┘
 *            ├─ a dead letter sink ──▶ retrying there, at once ──▶ deadLettered
 *            │                            └─ failed for good ──▶ parked
 *            └─ none ──▶ parked
 */
export async function attempt(work: Work, context: AttemptContext): Promise<Settlement> {
  const { environment, route, targets } = context;
  const { entry, stage, waited } = work;
  const startedAt = environment.now();
  const target = stage === 'subscriber' ? targets.subscriber : (targets.deadLetterSink ?? targets.subscriber);
  const made = { route: route.name, position: entry.position, attempt: work.attempt, stage, startedAt, waited };
  try {
    const answer = await handOver(work, target, context);
    if (stage === 'subscriber' && answer.event !== undefined && route.replyTopic !== undefined) {
      await reply(answer, answer.event, route.replyTopic, work, context);
    }
    const outcome = stage === 'subscriber' ? 'delivered' : 'deadLettered';
    return { ...made, outcome, duration: environment.now() - startedAt, status: answer.status };
  } catch (error) {
    const failure = failureOf(error, target.address);
    // What goes to the dead letter sink, and what a dead letter tells, is why the subscriber failed, not why the sink did.
    const root = stage === 'subscriber' ? failure : (work.failure ?? failure);
    const ended = { ...made, duration: environment.now() - startedAt, status: failure.status, failure, root };
    const isCancelled = work.cancellation?.reason !== undefined;
    const again = isCancelled ? undefined : next(work, error, context);
    if (again !== undefined) return { ...ended, outcome: 'retrying', next: again };
    await sayLastWord({ ...work, startedAt }, work.cancellation?.reason ?? error, context);
    return { ...ended, outcome: isCancelled ? 'cancelled' : 'parked' };
  }
}

/** A delivery that is called off while no attempt is under way; `work` is the attempt that would have been made. */
export async function cancelled(work: Work, context: AttemptContext): Promise<Settlement> {
  const { entry, stage, waited, attempt: number } = work;
  const startedAt = context.environment.now();
  const reason = new Cancelled('was cancelled before this attempt');
  await sayLastWord({ ...work, startedAt }, reason, context);
  return {
    route: context.route.name,
    position: entry.position,
    attempt: number,
    stage,
    outcome: 'cancelled',
    startedAt,
    duration: 0,
    failure: failureOf(reason, context.targets.subscriber.address),
    waited,
  };
}

/** The event as subscribers see it: with the time of its arrival (knative.md §2.1 row 9). */
export function outward({ event, arrivedAt }: Entry): CloudEvent {
  const extensions = { __proto__: null, ...event.extensions, knativearrivaltime: new Date(arrivedAt).toISOString() };
  return { ...event, extensions: extensions as unknown as Extensions };
}

async function handOver(work: Work, target: Addressed, { route, environment, gate }: AttemptContext): Promise<Answer> {
  const { entry, stage, failure, headers } = work;
  const hops = entry.hops + 1;
  const isDead = stage === 'deadLetterSink' && failure !== undefined;
  if ('topic' in target) {
    const event = isDead ? asDeadLetter(entry.event, failure) : entry.event;
    const cause = { position: entry.position, route: route.name };
    await entering(gate.enter(target.topic, [{ event, headers, hops, cause }]));
    return { status: 202 };
  }
  const event = isDead ? asDeadLetter(outward(entry), failure) : outward(entry);
  const deadline = new AttemptDeadline({
    headers: { ...headers, [HOPS_HEADER]: String(hops) },
    attempt: work.attempt,
    timeoutMs: route.delivery.timeoutMs,
    environment,
  });
  work.cancellation?.aborts((reason) => deadline.abort(reason));
  try {
    return await target.handler(event, deadline);
  } finally {
    deadline.cancel();
  }
}

async function reply(
  answer: Answer,
  event: CloudEvent,
  topic: string,
  work: Work,
  context: AttemptContext,
): Promise<void> {
  const { position, hops } = work.entry;
  const cause = { position, route: context.route.name };
  await entering(
    context.gate.enter(topic, [
      { event, headers: { ...withoutPrivate(work.headers), ...answer.headers }, hops: hops + 1, cause },
    ]),
    'the reply was not taken: ',
  );
}

const SAY_AGAIN_AFTER_MS = 1_000;

/** Tells whoever waits for an answer that there is none. Before it is settled: it may be told twice, but never not. */
async function sayLastWord(work: Work & Ended, error: unknown, context: AttemptContext): Promise<void> {
  const { targets, route, environment } = context;
  const { subscriber } = targets;
  if (!('lastWord' in subscriber) || subscriber.lastWord === undefined || route.replyTopic === undefined) return;
  for (let why = error; ;) {
    const answer = subscriber.lastWord(work.entry.event, work, why);
    try {
      await reply(answer, answer.event!, route.replyTopic, work, context);
      return;
    } catch (failure) {
      const { cause } = failure as Error;
      // Too long to be kept: that is what there is to be told then. A second time it cannot be.
      if (cause instanceof GateRefusal && why === error) why = failure;
      else if (cause instanceof LogFull) await pause(environment);
      else return;
    }
  }
}

function pause(environment: Environment): Promise<void> {
  return new Promise((resolve) => {
    environment.after(SAY_AGAIN_AFTER_MS, resolve);
  });
}

/** What the gate says against an event, as the failure of an attempt: its status tells whether to try again. */
async function entering(entered: Promise<unknown>, prefix = ''): Promise<void> {
  try {
    await entered;
  } catch (error) {
    const { status, message } = error as GateRefusal;
    // Nobody answered anything: what the gate says is what a dead letter is to tell.
    throw new HandlerFailure(prefix + message, { status, body: Buffer.from(prefix + message), cause: error });
  }
}

function next(work: Work, error: unknown, { route, targets, environment }: AttemptContext): Settlement['next'] {
  const { stage, tries } = work;
  const { delivery } = route;
  if (isRetriable(error) && tries < delivery.retry) {
    const wait = waitBefore(tries + 1, delivery, error, () => environment.random());
    return { dueAt: environment.now() + wait, stage, tries: tries + 1 };
  }
  if (stage === 'subscriber' && targets.deadLetterSink !== undefined) {
    return { dueAt: environment.now(), stage: 'deadLetterSink', tries: 0 };
  }
  return undefined;
}
