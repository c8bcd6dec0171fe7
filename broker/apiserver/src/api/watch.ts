import type { ServerResponse } from 'node:http';

import { Gone } from '../objects/errors.ts';
import type { KubernetesObject } from '../objects/object.ts';
import type { ObjectStore, WatchEvent } from '../objects/store.ts';
import { inVersion } from './addressing.ts';
import type { ApiEnvironment } from './environment.ts';
import type { Representation } from './representation.ts';
import type { ObjectTarget } from './request-path.ts';
import type { Selector } from './selectors.ts';
import { badRequest, expired } from './status.ts';

/** What a watch asks for. */
export interface WatchRequest {
  readonly target: ObjectTarget;
  readonly selector: Selector | undefined;
  /** After which version; undefined begins with what is there. */
  readonly after: string | undefined;
  /** After what is there, a bookmark says that it was all (Kubernetes: sendInitialEvents). */
  readonly marksInitial: boolean;
  /** Now and then a bookmark tells the version that the stream has come to. */
  readonly bookmarks: boolean;
  /** After so many milliseconds it ends by itself. */
  readonly timeout: number;
}

/** Between bookmarks; in Kubernetes it is about as long. */
const BOOKMARK_EVERY_MS = 60_000;
/** Kubernetes ends watches after 30 to 60 minutes. */
const DEFAULT_TIMEOUT_MS = 30 * 60_000;
/** What may wait for a client that does not read. Then it is cut off, and lists again. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;

/** Reads it from the query. Throws a Refusal for what makes no sense together. */
export function watchRequestOf(
  query: URLSearchParams,
  target: ObjectTarget,
  selector: Selector | undefined,
): WatchRequest {
  const version = query.get('resourceVersion') ?? '';
  const initial = query.get('sendInitialEvents');
  if (initial === 'true' && query.get('resourceVersionMatch') !== 'NotOlderThan') {
    throw badRequest('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  }
  const seconds = Number(query.get('timeoutSeconds') ?? 0);
  const fromNow = initial === 'true' || (initial === null && (version === '' || version === '0'));
  return {
    target,
    selector,
    after: fromNow ? undefined : version,
    marksInitial: initial === 'true',
    bookmarks: query.get('allowWatchBookmarks') === 'true',
    timeout: seconds > 0 ? Math.min(seconds * 1_000, 2 ** 31 - 1) : DEFAULT_TIMEOUT_MS,
  };
}

/**
 * Streams what changes, as lines of JSON, until the time is over or the client goes; the returned function ends it.
 * Calls `ended` once, when it is over. A version that is not known any more is told by an event of the type ERROR.
 */
export function streamWatch(
  response: ServerResponse,
  request: WatchRequest,
  ports: { readonly store: ObjectStore; readonly environment: ApiEnvironment; readonly shown: Representation },
  ended: () => void,
): () => void {
  const { target, selector, bookmarks, timeout } = request;
  const { store, environment, shown } = ports;
  const type = { group: target.kind.group, kind: target.kind.kind };
  let isFirst = true;
  let stop: () => void = () => {};
  const timers = new Map<string, () => void>();

  function send(kind: string, object: object): void {
    response.write(`${JSON.stringify({ type: kind, object })}\n`);
    if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
  }
  function show(kind: string, object: KubernetesObject): void {
    send(kind, shown.event(object, isFirst));
    isFirst = false;
  }
  function bookmark(annotations?: Record<string, string>): void {
    const metadata = {
      resourceVersion: store.resourceVersion,
      creationTimestamp: null,
      ...(annotations && { annotations }),
    };
    const object = { kind: target.kind.kind, apiVersion: target.apiVersion, metadata };
    show('BOOKMARK', object as unknown as KubernetesObject);
  }
  function remark(): void {
    bookmark();
    timers.set('bookmark', environment.after(BOOKMARK_EVERY_MS, remark));
  }
  function end(): void {
    stop();
    for (const cancel of timers.values()) cancel();
    timers.clear();
    response.end();
  }

  response.writeHead(200, { 'content-type': shown.contentType, 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  response.once('close', () => {
    end();
    ended();
  });
  try {
    let after = request.after;
    if (after === undefined) {
      const { items, resourceVersion } = store.list(type, target.namespace);
      for (const object of items) if (selector?.(object) !== false) show('ADDED', object);
      if (request.marksInitial) bookmark({ 'k8s.io/initial-events-end': 'true' });
      after = resourceVersion;
    }
    stop = store.watch(type, target.namespace, after, {
      event(event) {
        const seen = selected(event, selector);
        if (seen !== undefined) show(seen.type, inVersion(seen.object, target));
      },
    });
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
    send('ERROR', expired(error.after, error.oldest).status);
    end();
    return end;
  }
  timers.set(
    'end',
    environment.after(timeout, () => {
      if (bookmarks) bookmark();
      end();
    }),
  );
  if (bookmarks) timers.set('bookmark', environment.after(BOOKMARK_EVERY_MS, remark));
  return end;
}

/** What one who only sees the selected objects sees of a change: some enter and some leave by being changed. */
function selected(
  { type, object, previous }: WatchEvent,
  selector: Selector | undefined,
): { type: WatchEvent['type']; object: KubernetesObject } | undefined {
  if (selector === undefined) return { type, object };
  const was = previous !== undefined && selector(previous);
  const is = type !== 'DELETED' && selector(object);
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object };
  if (!was) return undefined;
  const { resourceVersion } = object.metadata;
  return { type: 'DELETED', object: { ...previous, metadata: { ...previous.metadata, resourceVersion } } };
}
