import type { Destination } from '@millrace/resources/destination';
import { whyNotRun } from '@millrace/resources/not-run';

import type { Trouble } from './conditions.ts';
import type { Target } from './plan.ts';
import type { World } from './world.ts';

/** Where a destination leads, or why nowhere. A reference without apiVersion to a Service means a function first. */
export function resolve(
  destination: Destination,
  namespace: string,
  world: World,
): { target: Target } | { trouble: Trouble } {
  const { ref, uri, audience } = destination;
  const asked = audience === undefined ? {} : { audience };
  if (ref === undefined) return { target: { kind: 'url', url: uri ?? '', ...asked } };
  const place = ref.namespace ?? namespace;
  const group = ref.group ?? ref.apiVersion?.split('/')[0] ?? '';
  switch (ref.kind) {
    case 'Service': {
      if (group !== 'v1' && world.find('Service', place, ref.name) !== undefined) {
        if (uri !== undefined)
          return { trouble: unsupported(`a function is called at its root; "${uri}" cannot be added to it`) };
        return { target: { kind: 'function', workload: `${place}/${ref.name}` } };
      }
      // Without an apiVersion nothing says that there is such a Service elsewhere.
      if (group === 'serving.knative.dev' || group === '') return { trouble: notFound('Service', place, ref.name) };
      return {
        target: {
          kind: 'url',
          url: new URL(uri ?? '/', `http://${ref.name}.${place}.svc.cluster.local`).href,
          ...asked,
        },
      };
    }
    case 'EventTransform':
      if (world.find('EventTransform', place, ref.name) === undefined)
        return { trouble: notFound(ref.kind, place, ref.name) };
      return { target: { kind: 'transform', transform: `${place}/${ref.name}` } };
    default: {
      const topic = world.topic({ kind: ref.kind, namespace: place, name: ref.name });
      if (topic !== undefined) return { target: { kind: 'topic', topic } };
      if (TOPICS.has(ref.kind)) return { trouble: notFound(ref.kind, place, ref.name) };
      const sink = SINKS_NOT_RUN.find((it) => it === ref.kind);
      if (sink !== undefined) {
        const isDeclared = world.find(sink, place, ref.name) !== undefined;
        return { trouble: isDeclared ? unsupported(whyNotRun(sink)!) : notFound(sink, place, ref.name) };
      }
      return {
        trouble: unsupported(
          `events cannot go to a ${ref.kind}; to a Service, ${[...TOPICS].join(', ')} or a uri they can`,
        ),
      };
    }
  }
}

/** Kinds that are a topic. */
const TOPICS = new Set([
  'Broker',
  'Channel',
  'InMemoryChannel',
  'KafkaChannel',
  'Sequence',
  'Parallel',
  'Choice',
  'Map',
]);

/** Kinds that take events, in a cluster of Knative's. */
const SINKS_NOT_RUN = ['JobSink', 'IntegrationSink', 'KafkaSink'] as const;

function notFound(kind: string, namespace: string, name: string): Trouble {
  return { reason: 'NotFound', message: `the ${kind} ${namespace}/${name} is not declared` };
}

function unsupported(message: string): Trouble {
  return { reason: 'NotSupported', message };
}
