import { randomUUID } from 'node:crypto';

import { EventFault } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import type { StartSource } from '@millrace/event/source';
import { isSelected } from '@millrace/resources/label-selector';
import type { LabelSelector } from '@millrace/resources/label-selector';

import { createOffer } from '../offer.ts';
import type { Clock } from '../ticking.ts';
import { eventOf } from './event.ts';
import type { ObjectChange, WatchedKind, WatchedObject, WatchedObjects } from './objects.ts';

/** An ApiServerSource, as it was said. */
export interface ApiServerSourceOptions {
  readonly namespace: string;
  readonly name: string;
  readonly mode: 'Reference' | 'Resource';
  readonly resources: readonly WatchedResource[];
  /** Only what an object of this kind controls. */
  readonly owner?: { readonly apiVersion: string; readonly kind: string } | undefined;
  /** Undefined: its own namespace alone. */
  readonly namespaceSelector?: LabelSelector | undefined;
  /** Whether an event is sent. Default: every one. */
  readonly wants?: ((event: CloudEvent) => boolean) | undefined;
  /** Extensions that every event gets. */
  readonly extensions: Readonly<Record<string, string>>;
  readonly objects: WatchedObjects;
  readonly clock?: Clock | undefined;
}

interface WatchedResource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly selector?: LabelSelector;
}

const MOST_AT_ONCE = 100;

/**
 * Sends what happens to objects, in the order of their changes:
 *
 *   change ─ of its namespaces? ─ of its owner? ─ selected, before and now? ─▶ event ─ wanted? ─▶ waits ─▶ emit
 *
 * What is there when it starts is not sent, and what happens while it does not run is not made up: as Knative's. A kind
 * that is not served makes it not ready; the others are watched all the same.
 */
export const apiServerSource: StartSource<ApiServerSourceOptions> = (options, outlet, report) => {
  const { objects, clock = {}, wants = () => true } = options;
  const { now = Date.now, newId = randomUUID } = clock;
  const ended = new AbortController();
  const { signal } = ended;
  const aborted = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  const offer = createOffer({ outlet, report, signal, waiting: clock, recovered: tellHow });
  // What has changed and is not durable as an event yet: no more than the API has let in meanwhile, and it lets nothing
  // in when the disk is full.
  const waiting: { change: ObjectChange; kind: WatchedKind; at: number }[] = [];
  let working: Promise<void> | undefined;

  const watched = options.resources.flatMap((resource) => {
    const kind = objects.kindOf(resource.apiVersion, resource.kind);
    return kind === undefined ? [] : [{ resource, kind }];
  });
  const unserved = options.resources.filter(({ apiVersion, kind }) => objects.kindOf(apiVersion, kind) === undefined);
  const ends = watched.map(({ resource, kind }) =>
    objects.watch(kind, (change) => {
      const seen = seenBy(options, resource, change);
      if (seen === undefined) return;
      waiting.push({ change: seen, kind, at: now() });
      working ??= work();
    }),
  );
  tellHow();

  return {
    async drain() {
      for (const end of ends) end();
      // What has happened is to be durable; only what is not taken now is given up.
      ended.abort();
      await working;
    },
  };

  async function work(): Promise<void> {
    const source = await Promise.race([objects.address(), aborted]);
    if (source === undefined) return;
    while (waiting.length > 0) {
      const events = waiting.splice(0, MOST_AT_ONCE).flatMap((each) => eventFor(each, source));
      if (events.length > 0) await offer(events);
    }
    working = undefined;
  }

  function eventFor({ change, kind, at }: (typeof waiting)[number], source: string): CloudEvent[] {
    const { mode, extensions } = options;
    try {
      const event = eventOf(change, kind, { mode, source, id: newId(), now: at, extensions });
      return wants(event) ? [event] : [];
    } catch (error) {
      if (!(error instanceof EventFault)) throw error;
      report({ ready: false, reason: 'InvalidEvent', message: error.message });
      return [];
    }
  }

  function tellHow(): void {
    const served = watched.map(({ kind }) => `${kind.apiVersion} ${kind.kind}`).join(', ');
    if (unserved.length === 0) return report({ ready: true, reason: 'Watching', message: `watches ${served}` });
    const missing = unserved.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`).join(', ');
    const rest = served === '' ? 'nothing is watched' : `only ${served} is watched`;
    const message = `not served by this API: ${missing}; ${rest} (see \`millrace api-resources\` for what is served)`;
    report({ ready: false, reason: 'KindNotServed', message });
  }
};

/** A change as a watch with the selector of the resource tells it; undefined when it is none of the source's. */
function seenBy(
  options: ApiServerSourceOptions,
  { selector }: WatchedResource,
  change: ObjectChange,
): ObjectChange | undefined {
  const { object, previous, type } = change;
  if (!isInNamespaces(options, object) || !isOwned(options, object)) return undefined;
  const isIn = isSelected(selector, object.metadata.labels);
  const wasIn = type !== 'ADDED' && isSelected(selector, (previous ?? object).metadata.labels);
  if (type === 'DELETED') return wasIn ? change : undefined;
  if (isIn) return wasIn ? change : { ...change, type: 'ADDED' };
  // It has left those that are selected, and is told as it was then.
  return wasIn && previous !== undefined ? { ...change, type: 'DELETED', object: previous } : undefined;
}

function isInNamespaces(options: ApiServerSourceOptions, { metadata }: WatchedObject): boolean {
  const { namespace, namespaceSelector, objects } = options;
  const { namespace: theirs = '' } = metadata;
  if (theirs === '') return true;
  if (namespaceSelector === undefined) return theirs === namespace;
  return isSelected(namespaceSelector, objects.labelsOf(theirs));
}

function isOwned({ owner }: ApiServerSourceOptions, { metadata }: WatchedObject): boolean {
  if (owner === undefined) return true;
  const controller = metadata.ownerReferences?.find((it) => it.controller === true);
  return controller?.kind === owner.kind && controller.apiVersion === owner.apiVersion;
}
