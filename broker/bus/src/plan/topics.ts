import type { Destination } from '@millrace/resources/destination';
import type { Choice } from '@millrace/resources/choice';
import type { MapFlow } from '@millrace/resources/map';
import { childName } from '@millrace/resources/child-name';
import type { Declared } from '@millrace/resources/manifest';
import type { Metadata } from '@millrace/resources/metadata';
import type { Parallel } from '@millrace/resources/parallel';
import type { Sequence } from '@millrace/resources/sequence';

/** The topic of a broker. */
export function brokerTopic(namespace: string, name: string): string {
  return `broker/${namespace}/${name}`;
}

/** The topic of a channel of any kind. */
export function channelTopic({ namespace, name }: Metadata): string {
  return `channel/${namespace}/${name}`;
}

/** `sequence/<namespace>/<name>`: what the names of all topics and routes of a flow begin with. */
export function flowName({ kind, metadata }: Sequence | Parallel | Choice | MapFlow): string {
  return `${kind.toLowerCase()}/${metadata.namespace}/${metadata.name}`;
}

/** Where the outcome of a flow enters. */
export function resultsTopic(flow: string): string {
  return `results/${flow}`;
}

/** What the branches or items of a flow answered, for whoever joins them. */
export function repliesTopic(flow: string): string {
  return `replies/${flow}`;
}

/** The items that a Map has made. */
export function itemsTopic(flow: string): string {
  return `items/${flow}`;
}

/**
 * The steps of a sequence by name. A step is called as what it calls, not by its place: so what waits for it still finds
 * it when another is put before it.
 */
export function stepNames(steps: readonly Destination[]): string[] {
  const counts = new Map<string, number>();
  return steps.map((step) => {
    const name = plainName(step);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  });
}

/** The topics of the steps of a sequence, in order. */
export function stepTopics(sequence: Sequence): string[] {
  return stepNames(sequence.spec.steps).map((name) => `${flowName(sequence)}/${name}`);
}

/** What leads into a topic, by the key of the resource that has the address: channels, flows, and channels that flows make. */
export function addressBook(declared: readonly Declared[]): ReadonlyMap<string, string> {
  const topics = new Map<string, string>();
  for (const { resource } of declared) {
    const { kind, metadata } = resource;
    const { namespace, name } = metadata;
    const add = (of: string, called: string, topic: string) => topics.set(`${of}/${namespace}/${called}`, topic);
    switch (resource.kind) {
      case 'Broker':
        add(kind, name, brokerTopic(namespace, name));
        break;
      case 'Channel':
        add(kind, name, channelTopic(metadata));
        add(resource.spec.channelTemplate.kind, name, channelTopic(metadata));
        break;
      case 'InMemoryChannel':
      case 'KafkaChannel':
        add(kind, name, channelTopic(metadata));
        break;
      case 'Sequence': {
        const steps = stepTopics(resource);
        add(kind, name, steps[0]!);
        const { channelTemplate } = resource.spec;
        steps.forEach((topic, index) => add(channelTemplate.kind, childName(name, `-kn-sequence-${index}`), topic));
        break;
      }
      case 'Parallel': {
        const flow = flowName(resource);
        const { branches, channelTemplate } = resource.spec;
        add(kind, name, flow);
        add(channelTemplate.kind, childName(name, '-kn-parallel'), flow);
        stepNames(branches.map((it) => it.subscriber)).forEach((branch, index) =>
          add(channelTemplate.kind, childName(name, `-kn-parallel-${index}`), `${flow}/${branch}`),
        );
        break;
      }
      case 'Choice':
      case 'Map':
        add(kind, name, flowName(resource));
        break;
      default:
        break;
    }
  }
  return topics;
}

function plainName({ ref, uri }: Destination): string {
  if (ref !== undefined) return ref.name;
  const { host, pathname } = new URL(uri!);
  return (host + pathname)
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
