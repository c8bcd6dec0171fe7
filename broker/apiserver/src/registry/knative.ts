import { AGE, READY, REASON, SINK, text, URL } from './columns.ts';
import { eventTypeByAttributes } from './event-type-conversion.ts';
import type { Column, ServedKind, ServedVersion } from './kind.ts';
import { schemaFor } from './schemas.ts';

const ADDRESSABLE = [URL, AGE, READY, REASON];
const SOURCE = [SINK, AGE, READY, REASON];

const EVENTING = ['all', 'knative', 'eventing'];
const CHANNELS = ['all', 'knative', 'messaging', 'channel'];
const FLOWS = ['all', 'knative', 'flows'];
const SOURCES = ['all', 'knative', 'sources'];
const SINKS = ['all', 'knative', 'eventing', 'sink'];
const SERVING = ['all', 'knative', 'serving'];

/** What a row of the table below says beside group, versions and kind. */
interface Row {
  readonly columns: readonly Column[];
  readonly categories: readonly string[];
  /** Default: the kind in lower case with an s. */
  readonly plural?: string;
  readonly shortNames?: readonly string[];
  /** Default: the first version. */
  readonly storage?: string;
}

const CONDITION_COLUMNS = [READY, REASON];
const LATEST = [
  text('LatestCreated', '.status.latestCreatedRevisionName'),
  text('LatestReady', '.status.latestReadyRevisionName'),
];

/**
 * Every kind of Knative (Eventing, Serving, its Kafka components) and of our own, with the columns, short names and categories of
 * its CustomResourceDefinition. Those that `@millrace/resources` does not know are stored and shown, and mean nothing.
 */
export function knativeKinds(): ServedKind[] {
  return [
    served('eventing.knative.dev', ['v1'], 'Broker', {
      columns: [
        ...ADDRESSABLE,
        text('Class', String.raw`.metadata.annotations.eventing\.knative\.dev/broker\.class`, 1),
      ],
      categories: EVENTING,
    }),
    served('eventing.knative.dev', ['v1'], 'Trigger', {
      columns: [
        text('Broker', '.spec.broker'),
        text('Subscriber_URI', '.status.subscriberUri'),
        AGE,
        ...CONDITION_COLUMNS,
      ],
      categories: EVENTING,
    }),
    served(
      'eventing.knative.dev',
      [
        'v1beta2',
        { name: 'v1beta3', conversion: eventTypeByAttributes },
        { name: 'v1beta1', deprecated: 'use eventing.knative.dev/v1beta2' },
      ],
      'EventType',
      {
        columns: [
          text('Type', '.spec.type'),
          text('Source', '.spec.source'),
          text('Schema', '.spec.schema'),
          text('Reference Name', '.spec.reference.name'),
          text('Reference Kind', '.spec.reference.kind'),
          text('Description', '.spec.description'),
          ...CONDITION_COLUMNS,
        ],
        categories: EVENTING,
      },
    ),
    served('eventing.knative.dev', ['v1alpha1'], 'EventPolicy', {
      columns: CONDITION_COLUMNS,
      categories: EVENTING,
      plural: 'eventpolicies',
    }),
    served('eventing.knative.dev', ['v1alpha1'], 'EventTransform', {
      columns: [URL, SINK, ...CONDITION_COLUMNS],
      categories: EVENTING,
    }),
    served('eventing.knative.dev', ['v1alpha1'], 'RequestReply', {
      columns: [URL, ...CONDITION_COLUMNS],
      categories: EVENTING,
      plural: 'requestreplies',
      shortNames: ['rr'],
    }),
    served('eventing.knative.dev', ['v1alpha1'], 'KafkaSink', { columns: ADDRESSABLE, categories: EVENTING }),

    served('messaging.knative.dev', ['v1'], 'Channel', {
      columns: ADDRESSABLE,
      categories: CHANNELS,
      shortNames: ['ch'],
    }),
    served('messaging.knative.dev', ['v1'], 'InMemoryChannel', {
      columns: ADDRESSABLE,
      categories: CHANNELS,
      shortNames: ['imc'],
    }),
    served('messaging.knative.dev', ['v1', 'v1beta1'], 'KafkaChannel', {
      columns: [...CONDITION_COLUMNS, URL, AGE],
      categories: CHANNELS,
      shortNames: ['kc'],
      storage: 'v1beta1',
    }),
    served('messaging.knative.dev', ['v1'], 'Subscription', {
      columns: [AGE, ...CONDITION_COLUMNS],
      categories: ['all', 'knative', 'messaging'],
      shortNames: ['sub'],
    }),

    served('flows.knative.dev', ['v1'], 'Sequence', { columns: ADDRESSABLE, categories: FLOWS }),
    served('flows.knative.dev', ['v1'], 'Parallel', { columns: ADDRESSABLE, categories: FLOWS }),
    served('flows.millrace.dev', ['v1alpha1'], 'Choice', { columns: ADDRESSABLE, categories: FLOWS }),
    served('flows.millrace.dev', ['v1alpha1'], 'Map', { columns: ADDRESSABLE, categories: FLOWS }),

    served('sources.knative.dev', ['v1'], 'ApiServerSource', { columns: SOURCE, categories: SOURCES }),
    served('sources.knative.dev', ['v1', { name: 'v1beta2', deprecated: 'use sources.knative.dev/v1' }], 'PingSource', {
      columns: [SINK, text('Schedule', '.spec.schedule'), AGE, ...CONDITION_COLUMNS],
      categories: SOURCES,
    }),
    served('sources.knative.dev', ['v1'], 'ContainerSource', { columns: SOURCE, categories: SOURCES }),
    served('sources.knative.dev', ['v1'], 'SinkBinding', { columns: SOURCE, categories: [...SOURCES, 'bindings'] }),
    served('sources.knative.dev', ['v1alpha1'], 'IntegrationSource', { columns: SOURCE, categories: SOURCES }),
    served('sources.knative.dev', ['v1', 'v1beta1'], 'KafkaSource', {
      columns: [
        text('Topics', '.spec.topics'),
        text('BootstrapServers', '.spec.bootstrapServers'),
        ...CONDITION_COLUMNS,
        AGE,
      ],
      categories: [...EVENTING, 'sources'],
      storage: 'v1beta1',
    }),
    served('sources.millrace.dev', ['v1alpha1'], 'WebhookSource', { columns: [URL, ...SOURCE], categories: SOURCES }),

    served('sinks.knative.dev', ['v1alpha1'], 'JobSink', { columns: ADDRESSABLE, categories: SINKS }),
    served('sinks.knative.dev', ['v1alpha1'], 'IntegrationSink', { columns: ADDRESSABLE, categories: SINKS }),

    served('serving.knative.dev', ['v1'], 'Service', {
      columns: [text('URL', '.status.url'), ...LATEST, ...CONDITION_COLUMNS],
      categories: SERVING,
      shortNames: ['kservice', 'ksvc'],
    }),
    served('serving.knative.dev', ['v1'], 'Configuration', {
      columns: [...LATEST, ...CONDITION_COLUMNS],
      categories: SERVING,
      shortNames: ['config', 'cfg'],
    }),
    served('serving.knative.dev', ['v1'], 'Revision', {
      columns: [
        text('Config Name', String.raw`.metadata.labels.serving\.knative\.dev/configuration`),
        text('Generation', String.raw`.metadata.labels.serving\.knative\.dev/configurationGeneration`),
        ...CONDITION_COLUMNS,
        { name: 'Actual Replicas', type: 'integer', value: '.status.actualReplicas' },
        { name: 'Desired Replicas', type: 'integer', value: '.status.desiredReplicas' },
      ],
      categories: SERVING,
      shortNames: ['rev'],
    }),
    served('serving.knative.dev', ['v1'], 'Route', {
      columns: [text('URL', '.status.url'), ...CONDITION_COLUMNS],
      categories: SERVING,
      shortNames: ['rt'],
    }),
  ];
}

function served(group: string, versions: readonly (string | ServedVersion)[], kind: string, row: Row): ServedKind {
  const named = versions.map((version) => (typeof version === 'string' ? { name: version } : version));
  const singular = kind.toLowerCase();
  return {
    group,
    kind,
    singular,
    plural: row.plural ?? `${singular}s`,
    shortNames: row.shortNames ?? [],
    categories: row.categories,
    namespaced: true,
    versions: named,
    storage: row.storage ?? named[0]!.name,
    columns: row.columns,
    schema: schemaFor(group, named[0]!.name, kind),
    hasStatus: true,
    selectable: [],
  };
}
