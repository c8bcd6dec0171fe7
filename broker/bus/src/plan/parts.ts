import { BROKER_DELIVERY } from '@millrace/resources/broker';
import type { DeliverySpec } from '@millrace/resources/delivery';
import type { Destination } from '@millrace/resources/destination';
import { complaint } from '@millrace/resources/fault';
import type { Metadata } from '@millrace/resources/metadata';
import { DELIVERY_ORDER } from '@millrace/resources/trigger';

import { FilterFault } from '../filter/filter.ts';
import { compileTriggerFilter } from '../filter/trigger-filter.ts';
import type { TriggerFilter } from '../filter/trigger-filter.ts';
import type { Trouble } from './conditions.ts';
import { CONCURRENCY_ANNOTATION, deliveryOf, isConcurrency, MOST_CONCURRENCY } from './delivery.ts';
import type { Inlet, PlanFault, Route, Status, Step, Target } from './plan.ts';
import { resolve } from './resolve.ts';
import type { World } from './world.ts';

/** What one resource becomes in the plan. */
export interface Planned {
  readonly inlets: readonly Inlet[];
  readonly routes: readonly Route[];
  /** Its own and those of the resources that it makes, by key. */
  readonly statuses: ReadonlyMap<string, Status>;
  readonly faults: readonly PlanFault[];
}

/** The resource that a part belongs to. */
export interface Whole {
  readonly key: string;
  readonly metadata: Metadata;
  /** The condition that tells whether the targets of its parts are there. */
  readonly condition: string;
  readonly manner: Route['manner'];
}

/** From a topic to a subscriber, as channels and flows say it. */
export interface Part {
  /** Of the route. */
  readonly name: string;
  readonly topic: string;
  readonly step?: Step | undefined;
  readonly subscriber: Destination;
  /** Absent: as a Broker that says nothing of it. */
  readonly delivery?: DeliverySpec | undefined;
  readonly filter?: TriggerFilter | undefined;
  readonly replyTopic: string | undefined;
  readonly isReply?: boolean;
}

/**
 * A part as a route. A subscriber that is not there yet leaves the route without a target: it keeps its place, and what
 * enters the topic meanwhile waits for it.
 */
export function planPart(part: Part, whole: Whole, world: World): { route: Route; trouble: Trouble | undefined } {
  const { namespace, annotations } = whole.metadata;
  const subscriber = resolve(part.subscriber, namespace, world);
  const sink = part.delivery?.deadLetterSink;
  const deadLetter = sink === undefined ? undefined : resolve(sink, namespace, world);
  const trouble =
    'trouble' in subscriber
      ? subscriber.trouble
      : deadLetter !== undefined && 'trouble' in deadLetter
        ? { ...deadLetter.trouble, message: `delivery.deadLetterSink: ${deadLetter.trouble.message}` }
        : undefined;
  const route: Route = {
    name: part.name,
    key: whole.key,
    sinkCondition: whole.condition,
    step: part.step,
    namespace,
    topic: part.topic,
    filter: part.filter ?? {},
    target: targetOf(subscriber),
    replyTopic: part.replyTopic,
    isReply: part.isReply,
    deadLetter: deadLetter !== undefined && 'target' in deadLetter ? deadLetter.target : undefined,
    delivery: deliveryOf(part.delivery ?? BROKER_DELIVERY, {
      ordered: annotations?.[DELIVERY_ORDER] === 'ordered',
      concurrency: annotations?.[CONCURRENCY_ANNOTATION],
    }),
    manner: whole.manner,
  };
  return { route, trouble };
}

/** Where answers go: into a topic at once, or by a topic of their own and a route to whoever is not one. */
export function planReply(
  reply: Destination | undefined,
  part: { readonly name: string; readonly delivery?: DeliverySpec | undefined },
  whole: Whole,
  world: World,
): { topic: string | undefined; routes: readonly Route[]; trouble: Trouble | undefined } {
  if (reply === undefined) return { topic: undefined, routes: [], trouble: undefined };
  const resolved = resolve(reply, whole.metadata.namespace, world);
  const own = { name: part.name, topic: part.name, replyTopic: undefined, isReply: true };
  const { route, trouble } = planPart({ ...own, subscriber: reply, delivery: part.delivery }, whole, world);
  // The route is there all the same: what was replied before the topic was declared waits for it.
  if ('target' in resolved && resolved.target.kind === 'topic')
    return { topic: resolved.target.topic, routes: [route], trouble: undefined };
  return { topic: part.name, routes: [route], trouble };
}

/** Where a flow ends: a topic that keeps what came out, and the route from there to `spec.reply`. */
export function planResults(
  reply: Destination | undefined,
  results: string,
  whole: Whole,
  world: World,
): { routes: readonly Route[]; trouble: Trouble | undefined } {
  if (reply === undefined) return { routes: [], trouble: undefined };
  const own = { name: results, topic: results, replyTopic: undefined, isReply: true };
  const { route, trouble } = planPart({ ...own, subscriber: reply }, whole, world);
  return { routes: [route], trouble: trouble && { ...trouble, message: `spec.reply: ${trouble.message}` } };
}

/** Why the filters at a path cannot be compiled; undefined when they can. */
export function filterFault(filter: TriggerFilter, path: string, key: string): PlanFault | undefined {
  try {
    compileTriggerFilter(filter);
    return undefined;
  } catch (error) {
    if (!(error instanceof FilterFault)) throw error;
    const { expected, got, message } = error;
    // The message begins with the path, which stands beside it here.
    const text = message.startsWith(`${error.path}: `) ? message.slice(error.path.length + 2) : message;
    return { ...complaint(path + error.path, expected, got), message: text, key };
  }
}

/** Why the annotation for attempts at once cannot be read; undefined when it can, or is not there. */
export function concurrencyFault({ annotations }: Metadata, key: string): PlanFault | undefined {
  const said = annotations?.[CONCURRENCY_ANNOTATION];
  if (said === undefined || isConcurrency(said)) return undefined;
  const path = `metadata.annotations[${JSON.stringify(CONCURRENCY_ANNOTATION)}]`;
  return { ...complaint(path, `an integer from 1 to ${MOST_CONCURRENCY}, as text`, JSON.stringify(said)), key };
}

function targetOf(resolved: ReturnType<typeof resolve>): Target {
  return 'target' in resolved ? resolved.target : { kind: 'missing', message: resolved.trouble.message };
}
