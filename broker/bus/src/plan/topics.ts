import { createHash } from 'node:crypto';

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

/** What does not match the schemas that a topic asks for. */
export function mismatchesTopic(topic: string): string {
  return `mismatches/${topic}`;
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
  const plain = steps.map(plainName);
  const said = new Set(plain);
  const given = new Set<string>();
  return plain.map((name) => {
    let free = name;
    // A name that is made must not be one that another step has by itself.
    for (let count = 2; given.has(free) || (free !== name && said.has(free)); count += 1) free = `${name}-${count}`;
    given.add(free);
    return free;
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

/** What of a path is a word, as people write them, and may be seen wherever names are. */
const WORD = /^(?:[a-z][a-z-]{0,30}|v\d{1,2})$/;

/** Of a uri its host and the words of its path; a short hash stands for the rest, which may be a token. */
function plainName({ ref, uri }: Destination): string {
  if (ref !== undefined) return ref.name;
  const { host, pathname, search } = new URL(uri!);
  const segments = pathname.split('/').filter((it) => it !== '');
  const words = segments.filter((it) => WORD.test(it));
  const parts = [host.toLowerCase().replaceAll(/[^a-z0-9.]+/g, '-'), ...words];
  const isWhole = words.length === segments.length && search === '';
  if (!isWhole)
    parts.push(
      createHash('sha256')
        .update(pathname + search)
        .digest('hex')
        .slice(0, 8),
    );
  return parts.join('-');
}
