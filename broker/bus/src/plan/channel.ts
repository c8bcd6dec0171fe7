import type { Channel } from '@millrace/resources/channel';
import type { DeliverySpec } from '@millrace/resources/delivery';
import type { InMemoryChannel } from '@millrace/resources/in-memory-channel';
import type { KafkaChannel } from '@millrace/resources/kafka-channel';
import type { Metadata } from '@millrace/resources/metadata';
import { keyOf } from '@millrace/resources/resource';

import { conditionsOf } from './conditions.ts';
import type { Trouble } from './conditions.ts';
import type { Planned } from './parts.ts';
import type { Inlet, Status } from './plan.ts';
import { resolve } from './resolve.ts';
import { channelTopic } from './topics.ts';
import type { World } from './world.ts';

/** The kinds of channels, and their conditions. */
export const CHANNELS = {
  Channel: ['BackingChannelReady', 'Addressable', 'DeadLetterSinkResolved', 'EventPoliciesReady'],
  InMemoryChannel: [
    'ServiceReady',
    'EndpointsReady',
    'Addressable',
    'ChannelServiceReady',
    'DeadLetterSinkResolved',
    'EventPoliciesReady',
  ],
  KafkaChannel: ['ConfigurationReady', 'TopicReady', 'Addressable', 'ChannelServiceReady', 'EventPoliciesReady'],
} as const;

/** A channel is a topic with a door, whatever its kind: each of them is as durable as the log. */
export function planChannel(
  channel: Channel | InMemoryChannel | KafkaChannel,
  world: World,
  dataUrl: string,
): Pick<Planned, 'inlets' | 'statuses'> {
  const { metadata, spec } = channel;
  const { namespace, name } = metadata;
  const key = keyOf(channel);
  const inlet = channelInlet(metadata, channelTopic(metadata), key);
  const url = dataUrl + inlet.path;
  const conditions = conditionsOf(conditionTypes(channel.kind), {
    DeadLetterSinkResolved: deadLetterTrouble(spec.delivery, namespace, world),
  });
  const statuses = new Map<string, Status>();
  if (channel.kind === 'Channel') {
    // The channel behind it is of the kind that the template says, and has its name.
    const { apiVersion, kind } = channel.spec.channelTemplate;
    const details = { channel: { apiVersion, kind, name, namespace } };
    statuses.set(key, { kind: 'Channel', namespace, name, conditions, url, details });
    const child = childChannel({ kind, namespace, name, owner: key, url });
    statuses.set(keyOf({ kind, metadata }), child);
  } else {
    statuses.set(key, { kind: channel.kind, namespace, name, conditions, url });
  }
  return { inlets: [inlet], statuses };
}

/** The door of a channel, by path and by the name that clusters have for it (knative.md §1.8). */
export function channelInlet({ namespace, name }: Metadata, topic: string, key: string): Inlet {
  return { path: `/channels/${namespace}/${name}`, host: `${name}-kn-channel.${namespace}`, topic, key };
}

/** The status of a channel that another resource has made. */
export function childChannel(child: {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly owner: string;
  readonly url: string;
}): Status {
  return { ...child, conditions: conditionsOf(conditionTypes(child.kind), {}) };
}

function conditionTypes(kind: string): readonly string[] {
  return kind === 'Channel' || kind === 'KafkaChannel' ? CHANNELS[kind] : CHANNELS.InMemoryChannel;
}

function deadLetterTrouble(delivery: DeliverySpec | undefined, namespace: string, world: World): Trouble | undefined {
  const sink = delivery?.deadLetterSink;
  const resolved = sink === undefined ? undefined : resolve(sink, namespace, world);
  return resolved !== undefined && 'trouble' in resolved ? resolved.trouble : undefined;
}
