import type { DeliverySpec } from '@millrace/resources/delivery';
import { keyOf } from '@millrace/resources/resource';
import type { Subscription } from '@millrace/resources/subscription';

import { addressOf } from './address.ts';
import { CHANNELS } from './channel.ts';
import { conditionsOf } from './conditions.ts';
import type { Trouble } from './conditions.ts';
import { concurrencyFault, planPart, planReply } from './parts.ts';
import type { Planned, Whole } from './parts.ts';
import type { Route, Status } from './plan.ts';
import type { World } from './world.ts';

const CONDITIONS = ['ReferencesResolved', 'AddedToChannel', 'ChannelReady', 'OIDCIdentityCreated'];

/** A Subscription is a route from its channel's topic. Without its channel there is none. */
export function planSubscription(subscription: Subscription, world: World, dataUrl: string): Planned {
  const { metadata, spec } = subscription;
  const { namespace, name } = metadata;
  const key = keyOf(subscription);
  const { kind, name: channelName } = spec.channel;
  const topic = Object.hasOwn(CHANNELS, kind) ? world.topic({ kind, namespace, name: channelName }) : undefined;
  const own = `subscription/${namespace}/${name}`;
  const whole: Whole = { key, metadata, condition: 'ReferencesResolved', manner: 'channel' };
  const delivery = effectiveDelivery(subscription, world);
  const reply = planReply(spec.reply, { name: `reply/${own}`, delivery }, whole, world);
  const part = { name: own, topic: topic ?? '', subscriber: spec.subscriber, delivery, replyTopic: reply.topic };
  const { route, trouble } = planPart(part, whole, world);
  const channelTrouble: Trouble | undefined =
    topic === undefined
      ? {
          reason: 'ChannelDoesNotExist',
          message: Object.hasOwn(CHANNELS, kind)
            ? `the ${kind} ${namespace}/${channelName} is not declared`
            : `a ${kind} is no channel; expected one of ${Object.keys(CHANNELS).join(', ')}`,
        }
      : undefined;
  const fault = concurrencyFault(metadata, key);
  const routes: Route[] = topic === undefined ? [...reply.routes] : [route, ...reply.routes];
  const status: Status = {
    kind: 'Subscription',
    namespace,
    name,
    conditions: subscriptionConditions(
      trouble ?? (reply.trouble && { ...reply.trouble, message: `spec.reply: ${reply.trouble.message}` }),
      channelTrouble,
    ),
    details: {
      physicalSubscription: {
        subscriberUri: addressOf(spec.subscriber, namespace, world, dataUrl),
        replyUri: addressOf(spec.reply, namespace, world, dataUrl),
        deadLetterSinkUri: addressOf(delivery?.deadLetterSink, namespace, world, dataUrl),
      },
    },
  };
  return {
    inlets: [],
    routes,
    statuses: new Map([[key, status]]),
    faults: fault === undefined ? [] : [fault],
  };
}

/** The conditions of a Subscription, declared or made by a flow. */
export function subscriptionConditions(references: Trouble | undefined, channel?: Trouble): Status['conditions'] {
  return conditionsOf(CONDITIONS, {
    ReferencesResolved: references,
    AddedToChannel: channel,
    ChannelReady: channel,
  });
}

/** Its own delivery as a whole, or its channel's; the dead letter sink alone falls back to the channel's (knative.md §1.8). */
function effectiveDelivery({ metadata, spec }: Subscription, world: World): DeliverySpec | undefined {
  const { kind, name } = spec.channel;
  const channel =
    kind === 'Channel' || kind === 'InMemoryChannel' || kind === 'KafkaChannel'
      ? (world.find(kind, metadata.namespace, name) ?? world.find('Channel', metadata.namespace, name))
      : undefined;
  const ofChannel = channel?.spec.delivery;
  if (spec.delivery === undefined) return ofChannel;
  const deadLetterSink = spec.delivery.deadLetterSink ?? ofChannel?.deadLetterSink;
  return deadLetterSink === undefined ? spec.delivery : { ...spec.delivery, deadLetterSink };
}
