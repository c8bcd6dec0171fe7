/** What Knative's controllers and tools look for on a CustomResourceDefinition. */
export interface DuckTypes {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const DUCKS = {
  addressable: 'duck.knative.dev/addressable',
  source: 'duck.knative.dev/source',
  binding: 'duck.knative.dev/binding',
  podspecable: 'duck.knative.dev/podspecable',
  subscribable: 'messaging.knative.dev/subscribable',
} as const;

type Duck = keyof typeof DUCKS;

const CHANNEL: readonly Duck[] = ['addressable', 'subscribable'];

/** Which kind is which; a RequestReply has an address, and is none for Knative all the same. */
const KINDS: Readonly<Record<string, readonly Duck[]>> = {
  Broker: ['addressable'],
  Channel: CHANNEL,
  InMemoryChannel: CHANNEL,
  KafkaChannel: CHANNEL,
  Sequence: ['addressable'],
  Parallel: ['addressable'],
  Choice: ['addressable'],
  Map: ['addressable'],
  EventTransform: ['addressable'],
  JobSink: ['addressable'],
  IntegrationSink: ['addressable'],
  KafkaSink: ['addressable'],
  ApiServerSource: ['source'],
  PingSource: ['source'],
  ContainerSource: ['source'],
  SinkBinding: ['source', 'binding'],
  IntegrationSource: ['source'],
  KafkaSource: ['source'],
  WebhookSource: ['source'],
  Service: ['addressable', 'podspecable'],
  Configuration: ['podspecable'],
  Route: ['addressable'],
};

const EVENT_TYPES: Readonly<Record<string, readonly string[]>> = {
  PingSource: ['dev.knative.sources.ping'],
  ApiServerSource: ['resource', 'ref'].flatMap((part) =>
    ['add', 'update', 'delete'].map((action) => `dev.knative.apiserver.${part}.${action}`),
  ),
  KafkaSource: ['dev.knative.kafka.event'],
  WebhookSource: ['dev.millrace.webhook'],
};

/** The labels by which a kind is known as what it can be used for, and the events that a source makes. */
export function duckTypesOf(kind: string): DuckTypes {
  const types = EVENT_TYPES[kind];
  return {
    labels: Object.fromEntries((KINDS[kind] ?? []).map((duck) => [DUCKS[duck], 'true'])),
    annotations:
      types === undefined ? {} : { 'registry.knative.dev/eventTypes': JSON.stringify(types.map((type) => ({ type }))) },
  };
}
