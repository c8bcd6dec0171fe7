import type { CloudEvent, Extensions } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';
import type { Answer, HandlerContext, Headers } from '@millrace/event/handler';

import type { Environment } from '../environment.ts';
import { GateRefusal, HOPS_HEADER } from '../log/gate.ts';
import type { Arrival, Gate } from '../log/gate.ts';
import { LogFull } from '../log/log.ts';
import type { Entry, Log } from '../log/log.ts';
import type { Failure, Settlement, Stage } from '../log/progress.ts';
import type { Route } from '../plan/plan.ts';
import { withoutPrivate } from '../log/private-headers.ts';
import type { TransformAnswer, TransformHandler } from '../transform/transform-handler.ts';
import type { Callee } from './callee.ts';
import { Cancelled, GivenBack } from './cancellation.ts';
import type { Cancellation } from './cancellation.ts';
import { AttemptDeadline } from './deadline.ts';
import { asDeadLetter, failureOf } from './dead-letter.ts';
import { isRetriable, waitBefore } from './policy.ts';

/** A target that a route sends to, and its address in the words of error extensions. A topic is entered by the gate. */
export type Addressed = { readonly address: string } & (
  | {
      readonly handler: TransformHandler;
      /** Where it is a function of ours. */
      readonly callee?: () => Callee | undefined;
      /** Where somebody waits for an answer: what is replied when there will be none any more, for this reason. */
      readonly lastWord?: (event: CloudEvent, ended: Ended, error: unknown) => Answer;
    }
  | { readonly topic: string }
  /** Ours, and answers when others have done with the entry. */
  | { readonly await: (entry: Entry, context: HandlerContext) => Promise<Answer> }
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
  readonly log: Pick<Log, 'get'>;
  readonly environment: Environment;
  /** Why the route may not bring an event into a topic; undefined where it may. Default: it may everything. */
  readonly judge?: Judge | undefined;
}

/** Says why a route may not bring an event into a topic; undefined where it may. */
export type Judge = (route: Route, topic: string, event: CloudEvent) => string | undefined;

/** What became of an attempt. */
export interface Made {
  readonly settlement: Settlement;
  /** Whether it is durable already, together with what it brought into the log: one is never there without the other. */
  readonly isWritten: boolean;
}

/** What an attempt brings into the log. */
interface Bringing {
  readonly topic: string;
  readonly arrival: Arrival;
  /** Before what the gate says against it. */
  readonly prefix: string;
}

/**
 * Makes one attempt and tells what became of it; rejects only with {@link GivenBack}.
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
export async function attempt(work: Work, context: AttemptContext): Promise<Made> {
  const { environment, route, targets } = context;
  const { entry, stage, waited } = work;
  const startedAt = environment.now();
  const target = stage === 'subscriber' ? targets.subscriber : (targets.deadLetterSink ?? targets.subscriber);
  const made = { route: route.name, position: entry.position, attempt: work.attempt, stage, startedAt, waited };
  if (stage === 'deadLetterSink' && targets.deadLetterSink === undefined) {
    // The sink was taken out since the subscriber failed: it rests here, as what fails from now on does.
    const failure = work.failure ?? failureOf(new Error('there is no dead letter sink any more'), target.address);
    const ended = { ...made, duration: 0, status: failure.status, failure, root: failure };
    return { settlement: { ...ended, outcome: 'parked' }, isWritten: false };
  }
  try {
    const answer = await handOver(work, target, context);
    const outcome = stage === 'subscriber' ? 'delivered' : 'deadLettered';
    const settlement = { ...made, outcome, duration: environment.now() - startedAt, status: answer.status } as const;
    const bringing = broughtBy(answer, work, target, context);
    if (bringing === undefined) return { settlement, isWritten: false };
    await enter(bringing, settlement, work, context);
    return { settlement, isWritten: true };
  } catch (error) {
    if (error instanceof GivenBack) throw error;
    const failure = failureOf(error, target.address);
    // What goes to the dead letter sink, and what a dead letter tells, is why the subscriber failed, not why the sink did.
    const root = stage === 'subscriber' ? failure : (work.failure ?? failure);
    const ended = { ...made, duration: environment.now() - startedAt, status: failure.status, failure, root };
    const isCancelled = work.cancellation?.reason !== undefined;
    const again = isCancelled ? undefined : next(work, error, context);
    if (again !== undefined) return { settlement: { ...ended, outcome: 'retrying', next: again }, isWritten: false };
    const settlement = { ...ended, outcome: isCancelled ? 'cancelled' : 'parked' } as const;
    const why = work.cancellation?.reason ?? error;
    return { settlement, isWritten: await sayLastWord({ ...work, startedAt }, why, settlement, context) };
  }
}

/** A delivery that is called off while no attempt is under way; `work` is the attempt that would have been made. */
export async function cancelled(work: Work, context: AttemptContext): Promise<Made> {
  const { entry, stage, waited, attempt: number } = work;
  const startedAt = context.environment.now();
  const reason = new Cancelled('was cancelled before this attempt');
  const settlement: Settlement = {
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
  return { settlement, isWritten: await sayLastWord({ ...work, startedAt }, reason, settlement, context) };
}

/** The event as subscribers see it: with the time of its arrival (knative.md §2.1 row 9). */
export function outward({ event, arrivedAt }: Entry): CloudEvent {
  const extensions = { __proto__: null, ...event.extensions, knativearrivaltime: new Date(arrivedAt).toISOString() };
  return { ...event, extensions: extensions as unknown as Extensions };
}

async function handOver(
  work: Work,
  target: Addressed,
  { route, environment }: AttemptContext,
): Promise<TransformAnswer> {
  if ('topic' in target) return { status: 202 };
  const { entry, stage, failure } = work;
  const { kind } = route.target;
  // What only the bus reads goes to those of its own who read it.
  const headers = kind === 'call' || kind === 'callback' ? work.headers : withoutPrivate(work.headers);
  const deadline = new AttemptDeadline({
    headers: { ...headers, [HOPS_HEADER]: String(entry.hops + 1) },
    attempt: work.attempt,
    timeoutMs: route.delivery.timeoutMs,
    environment,
  });
  work.cancellation?.aborts((reason) => deadline.abort(reason));
  try {
    if ('await' in target) return await target.await(entry, deadline);
    const event = route.manner === 'broker' ? outward(entry) : entry.event;
    const isDead = stage === 'deadLetterSink' && failure !== undefined;
    return await target.handler(isDead ? asDeadLetter(event, failure) : event, deadline);
  } finally {
    deadline.cancel();
  }
}

/**
 * What goes into the log: the entry itself where the target is a topic; what an EventTransform made of it where its sink
 * is one; else the reply where there is one.
 */
function broughtBy(
  answer: TransformAnswer,
  work: Work,
  target: Addressed,
  { route }: AttemptContext,
): Bringing | undefined {
  const { entry, stage, failure } = work;
  const cause = { position: entry.position, route: route.name };
  if ('topic' in target) {
    const isDead = stage === 'deadLetterSink' && failure !== undefined;
    const event = isDead ? asDeadLetter(entry.event, failure) : entry.event;
    const arrival = { event, headers: withoutPrivate(work.headers), hops: entry.hops + 1, cause };
    return { topic: target.topic, arrival, prefix: '' };
  }
  const topic = answer.into ?? (stage === 'subscriber' ? route.replyTopic : undefined);
  if (answer.event === undefined || topic === undefined) return undefined;
  const headers = { ...withoutPrivate(work.headers), ...answer.headers };
  const arrival = { event: answer.event, headers, hops: entry.hops + 1, cause };
  const what = answer.into === undefined ? 'the reply' : 'what it made for its sink';
  return { topic, arrival, prefix: `${what} was not taken: ` };
}

/** What is brought and what became of the attempt become durable together. What the gate says is the attempt's failure. */
async function enter(bringing: Bringing, settlement: Settlement, work: Work, context: AttemptContext): Promise<void> {
  const { topic, arrival, prefix } = bringing;
  const objection = context.judge?.(context.route, topic, arrival.event);
  if (objection !== undefined) {
    const text = prefix + objection;
    throw new HandlerFailure(text, { status: 403, body: Buffer.from(text) });
  }
  try {
    await context.gate.enter(topic, [arrival], settlement);
  } catch (error) {
    const { status, message } = error as GateRefusal;
    const isCircle = error instanceof GateRefusal && error.code === 'too-many-hops';
    const text = prefix + message + (isCircle ? `: ${circleOf(work.entry, context).join(' → ')}` : '');
    // Nobody answered anything: what the gate says is what a dead letter is to tell.
    throw new HandlerFailure(text, { status, body: Buffer.from(text), cause: error });
  }
}

/** So many deliveries are looked back on to find where a circle begins. */
const LONGEST_CIRCLE = 32;

/** The routes that an event goes round by, the first again at the end; without a repetition, the last that it came by. */
function circleOf(entry: Entry, { route, log }: AttemptContext): string[] {
  const routes = [route.name];
  for (let at: Entry | undefined = entry; at?.cause !== undefined && routes.length < LONGEST_CIRCLE;) {
    routes.unshift(at.cause.route);
    if (at.cause.route === route.name) break;
    at = log.get(at.cause.position);
  }
  return routes;
}

const SAY_AGAIN_AFTER_MS = 1_000;

/**
 * Tells whoever waits for an answer that there is none any more. True when that, and the settlement with it, is durable;
 * false when nobody waits.
 */
async function sayLastWord(
  work: Work & Ended,
  error: unknown,
  settlement: Settlement,
  context: AttemptContext,
): Promise<boolean> {
  const { subscriber } = context.targets;
  if (!('lastWord' in subscriber) || subscriber.lastWord === undefined) return false;
  for (let why = error; ;) {
    const answer = subscriber.lastWord(work.entry.event, work, why);
    const bringing = broughtBy(answer, { ...work, stage: 'subscriber' }, subscriber, context);
    if (bringing === undefined) return false;
    try {
      await enter(bringing, settlement, work, context);
      return true;
    } catch (failure) {
      const { cause } = failure as Error;
      // Too long to be kept: that is what there is to be told then. A second time it cannot be.
      if (cause instanceof GateRefusal && why === error) why = failure;
      else if (cause instanceof LogFull) await pause(context.environment);
      else return false;
    }
  }
}

function pause(environment: Environment): Promise<void> {
  return new Promise((resolve) => {
    environment.after(SAY_AGAIN_AFTER_MS, resolve);
  });
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
