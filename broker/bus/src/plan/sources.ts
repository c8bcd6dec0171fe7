import type { AnyResource } from '@millrace/resources/any-resource';
import { BROKER_DELIVERY } from '@millrace/resources/broker';
import type { Destination } from '@millrace/resources/destination';
import { keyTypeOf } from '@millrace/resources/kafka-source';
import type { KafkaNet, KafkaSource } from '@millrace/resources/kafka-source';
import { keyOf } from '@millrace/resources/resource';
import type { WebhookSource } from '@millrace/resources/webhook-source';

import { addressOf } from './address.ts';
import { conditionsOf } from './conditions.ts';
import type { Trouble } from './conditions.ts';
import { deliveryOf } from './delivery.ts';
import type { Delivery, Feed, KafkaFeed, Route, SaslMechanism, Status, WebhookFeed } from './plan.ts';
import { resolve } from './resolve.ts';
import type { World } from './world.ts';

/** The condition that the running source itself tells. */
export const SOURCE_CONDITION: Readonly<Record<Feed['kind'], string>> = {
  KafkaSource: 'ConnectionEstablished',
  WebhookSource: 'Deployed',
  PingSource: 'Deployed',
  ApiServerSource: 'Deployed',
  IntegrationSource: 'ContainerSourceReady',
};

const KAFKA_CONDITIONS = [
  'SinkProvided',
  'Deployed',
  'ConnectionEstablished',
  'InitialOffsetsCommitted',
  'OIDCIdentityCreated',
];
const WEBHOOK_CONDITIONS = ['SinkProvided', 'Deployed'];

export interface PlannedSource {
  readonly feed: Feed | undefined;
  /** From the topic of the source to its sink. */
  readonly route: Route | undefined;
  readonly status: Status;
}

/** A KafkaSource fills its sink's topic, or one of its own. Replies are discarded (knative.md §3.2). */
export function planKafkaSource(source: KafkaSource, world: World, dataUrl: string): PlannedSource {
  const { metadata, spec } = source;
  const { namespace, name } = metadata;
  const net = kafkaNet(spec.net, namespace, world);
  const delivery = deliveryOf(spec.delivery, { ordered: spec.ordering !== 'unordered' });
  const planned = planSink(source, spec.sink, delivery, world);
  const connecting = { status: 'Unknown', reason: 'Connecting', message: 'the source has not connected yet' } as const;
  const trouble = planned.trouble ?? ('trouble' in net ? net.trouble : undefined);
  const status: Status = {
    kind: source.kind,
    namespace,
    name,
    conditions: conditionsOf(KAFKA_CONDITIONS, {
      SinkProvided: planned.trouble,
      ConnectionEstablished: 'trouble' in net ? net.trouble : connecting,
    }),
    details: { sinkUri: addressOf(spec.sink, namespace, world, dataUrl) },
  };
  if (trouble !== undefined || 'trouble' in net) return { feed: undefined, route: undefined, status };
  const options: KafkaFeed = {
    namespace,
    name,
    bootstrapServers: spec.bootstrapServers,
    topics: spec.topics,
    consumerGroup: spec.consumerGroup,
    initialOffset: spec.initialOffset,
    consumers: spec.consumers,
    keyType: keyTypeOf(source),
    extensions: spec.ceOverrides?.extensions ?? {},
    net: net.net,
  };
  return {
    feed: { name: planned.name, key: keyOf(source), topic: planned.topic, kind: source.kind, options },
    route: planned.route,
    status,
  };
}

/** A WebhookSource, the same way. */
export function planWebhookSource(source: WebhookSource, world: World, dataUrl: string): PlannedSource {
  const { metadata, spec } = source;
  const { namespace, name } = metadata;
  const planned = planSink(source, spec.sink, deliveryOf(BROKER_DELIVERY, { ordered: false }), world);
  const verify = webhookVerification(spec, namespace, world);
  const status: Status = {
    kind: source.kind,
    namespace,
    name,
    conditions: conditionsOf(WEBHOOK_CONDITIONS, {
      SinkProvided: planned.trouble,
      Deployed: 'trouble' in verify ? verify.trouble : undefined,
    }),
    url: dataUrl + spec.path,
    details: { sinkUri: addressOf(spec.sink, namespace, world, dataUrl) },
  };
  if (planned.trouble !== undefined || 'trouble' in verify) return { feed: undefined, route: undefined, status };
  const options: WebhookFeed = {
    namespace,
    name,
    path: spec.path,
    event: spec.event,
    ...(spec.contentTypes === undefined ? {} : { contentTypes: spec.contentTypes }),
    ...(verify.verify === undefined ? {} : { verify: verify.verify }),
    extensions: spec.ceOverrides?.extensions ?? {},
  };
  return {
    feed: { name: planned.name, key: keyOf(source), topic: planned.topic, kind: source.kind, options },
    route: planned.route,
    status,
  };
}

/** Any of them. */
export type Source = Extract<AnyResource, { kind: Feed['kind'] }>;

/** Where the events of a source go. */
export interface PlannedSink {
  /** Of the feed and of the route. */
  readonly name: string;
  readonly topic: string;
  readonly route: Route | undefined;
  readonly trouble: Trouble | undefined;
}

/** The topic that a source fills and the route from there to its sink, or why there are none. */
export function planSink(source: Source, sink: Destination, delivery: Delivery, world: World): PlannedSink {
  const { namespace } = source.metadata;
  const name = `${source.kind.toLowerCase()}/${namespace}/${source.metadata.name}`;
  const resolved = resolve(sink, namespace, world);
  if ('trouble' in resolved) return { name, topic: name, route: undefined, trouble: resolved.trouble };
  const { target } = resolved;
  const sinkOfDead = source.kind === 'KafkaSource' ? source.spec.delivery.deadLetterSink : undefined;
  const dead = sinkOfDead === undefined ? undefined : resolve(sinkOfDead, namespace, world);
  if (dead !== undefined && 'trouble' in dead) {
    const message = `spec.delivery.deadLetterSink: ${dead.trouble.message}`;
    return { name, topic: name, route: undefined, trouble: { ...dead.trouble, message } };
  }
  const deadLetter = dead?.target;
  const route: Route = {
    name,
    key: keyOf(source),
    sinkCondition: 'SinkProvided',
    namespace,
    topic: name,
    filter: {},
    target,
    replyTopic: undefined,
    deadLetter,
    delivery,
    manner: 'broker',
  };
  // A broker's topic is filled directly; then the route only carries what was parked and is redriven.
  return { name, topic: target.kind === 'topic' ? target.topic : name, route, trouble: undefined };
}

const MECHANISMS: readonly SaslMechanism[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];

function isMechanism(text: string): text is SaslMechanism {
  return (MECHANISMS as readonly string[]).includes(text);
}

function kafkaNet(
  net: KafkaNet | undefined,
  namespace: string,
  world: World,
): { net: KafkaFeed['net'] } | { trouble: Trouble } {
  let trouble: Trouble | undefined;
  const secret = (from: { secretKeyRef?: { name: string; key: string } } | undefined) => {
    if (from?.secretKeyRef === undefined) return undefined;
    const found = world.value('Secret', namespace, from.secretKeyRef);
    if ('text' in found) return found.text;
    trouble ??= found.trouble;
    return undefined;
  };
  const { tls, sasl } = net ?? {};
  const ca = secret(tls?.caCert);
  const cert = secret(tls?.cert);
  const key = secret(tls?.key);
  const resolved: { -readonly [Name in keyof KafkaFeed['net']]: KafkaFeed['net'][Name] } = {};
  if (tls?.enable === true) {
    resolved.tls = {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
  }
  if (sasl?.enable === true) {
    const mechanism = secret(sasl.type) ?? 'PLAIN';
    if (isMechanism(mechanism)) {
      resolved.sasl = { mechanism, user: secret(sasl.user) ?? '', password: secret(sasl.password) ?? '' };
    } else {
      trouble ??= {
        reason: 'MechanismNotSupported',
        message: `spec.net.sasl.type: expected one of ${MECHANISMS.join(', ')}`,
      };
    }
  }
  return trouble === undefined ? { net: resolved } : { trouble };
}

function webhookVerification(
  { verify }: WebhookSource['spec'],
  namespace: string,
  world: World,
): { verify: WebhookFeed['verify'] } | { trouble: Trouble } {
  const scheme = verify?.standardWebhooks ?? verify?.github;
  if (verify === undefined || scheme === undefined) return { verify: undefined };
  const found = world.value('Secret', namespace, scheme.secretKeyRef);
  if ('trouble' in found) return found;
  return {
    verify: {
      kind: verify.github === undefined ? 'standard-webhooks' : 'github',
      // Several while they change: the old and the new one. A secret of GitHub may hold spaces, one in base64 may not.
      secrets: found.text.split(verify.github === undefined ? /\s+/ : /[\r\n]+/).filter((secret) => secret !== ''),
      toleranceSeconds: verify.toleranceSeconds,
    },
  };
}
