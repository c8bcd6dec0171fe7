import type { IncomingMessage, ServerResponse } from 'node:http';

import type { KubernetesObject } from '../objects/object.ts';
import { inVersion, keyAt } from './addressing.ts';
import { apply } from './applies.ts';
import { decodeObject, mediaTypeOf, readBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import { deleteOptionsOf, remove } from './deletes.ts';
import type { DeleteOptions } from './deletes.ts';
import { APPLY_TYPE, readApply, readPatch } from './patches.ts';
import { streamLog } from './pod-logs.ts';
import type { PodLogs } from './pod-logs.ts';
import { representationOf } from './representation.ts';
import type { ObjectTarget } from './request-path.ts';
import { send } from './responses.ts';
import { both, fieldSelector, labelSelector } from './selectors.ts';
import { methodNotAllowed, notFound, success } from './status.ts';
import { streamWatch, watchRequestOf } from './watch.ts';
import { writeOptionsOf } from './write-options.ts';
import { create, modify } from './writes.ts';
import type { WritePorts, Written } from './writes.ts';

/** Answers requests for objects. The functions that end its watches are in `watches` as long as these run. */
export function objectRequests(ports: WritePorts & { readonly logs?: PodLogs }, watches: Set<() => void>) {
  return async function answer(exchange: Exchange, target: ObjectTarget): Promise<void> {
    const { method } = exchange.request;
    const isOne = target.name !== undefined;
    if (target.subresource === 'log') {
      if (method !== 'GET') throw methodNotAllowed();
      return log(exchange, target);
    }
    if (method === 'GET') {
      if (isWatch(exchange.query)) return watch(exchange, target);
      return isOne ? get(exchange, target) : list(exchange, target);
    }
    if (method === 'POST' && !isOne) return post(exchange, target);
    if (method === 'PUT' && isOne) return put(exchange, target);
    if (method === 'PATCH' && isOne) return patch(exchange, target);
    if (method === 'DELETE' && target.subresource === '') {
      return isOne ? deleteOne(exchange, target) : deleteAll(exchange, target);
    }
    throw methodNotAllowed();
  };

  function get({ request, response, query }: Exchange, target: ObjectTarget): void {
    const object = ports.store.get(keyAt(target));
    if (object === undefined) throw notFound(target.kind, target.name!);
    const shown = representationOf(request.headers.accept, target, query, ports.environment.now);
    send(response, 200, shown.one(object), shown.contentType, deprecation(target));
  }

  function list({ request, response, query }: Exchange, target: ObjectTarget): void {
    const shown = representationOf(request.headers.accept, target, query, ports.environment.now);
    const { items, resourceVersion } = selected(target, selectorOf(query, target));
    // All of them, whatever `limit` says: the API of Kubernetes allows it, and 10,000 objects are few.
    send(response, 200, shown.list(items, resourceVersion), shown.contentType, deprecation(target));
  }

  function watch({ request, response, query }: Exchange, target: ObjectTarget): void {
    const shown = representationOf(request.headers.accept, target, query, ports.environment.now);
    const asked = watchRequestOf(query, target, selectorOf(query, target));
    const end = streamWatch(response, asked, { ...ports, shown }, () => watches.delete(end));
    watches.add(end);
  }

  function log(exchange: Exchange, target: ObjectTarget): void {
    const end = streamLog(exchange, target, { ...ports, logs: ports.logs }, () => watches.delete(end));
    watches.add(end);
  }

  async function post({ request, response, query }: Exchange, target: ObjectTarget): Promise<void> {
    if (target.kind.namespaced && target.namespace === undefined) throw methodNotAllowed();
    const options = writeOptionsOf(query, request.headers['user-agent']);
    const value = decodeObject(await readBody(request), mediaTypeOf(request));
    answerWritten(response, 201, await create(ports, target, { value }, options), target);
  }

  async function put({ request, response, query }: Exchange, target: ObjectTarget): Promise<void> {
    const options = writeOptionsOf(query, request.headers['user-agent']);
    const value = decodeObject(await readBody(request), mediaTypeOf(request));
    answerWritten(response, 200, await modify(ports, target, () => ({ value }), options), target);
  }

  async function patch({ request, response, query }: Exchange, target: ObjectTarget): Promise<void> {
    const options = writeOptionsOf(query, request.headers['user-agent']);
    const body = await readBody(request);
    const mediaType = mediaTypeOf(request);
    if (mediaType === APPLY_TYPE) {
      const applied = await apply(ports, target, readApply(body), options);
      return answerWritten(response, applied.isNew ? 201 : 200, applied, target);
    }
    const change = readPatch(body, mediaType, target.kind);
    const written = await modify(ports, target, (live) => ({ value: change(live) }), options);
    return answerWritten(response, 200, written, target);
  }

  async function deleteOne({ request, response, query }: Exchange, target: ObjectTarget): Promise<void> {
    const { object, isGone } = await remove(ports, target, await deletion(request, query));
    if (!isGone) return send(response, 200, inVersion(object, target));
    const { group, plural } = target.kind;
    const { name, uid } = object.metadata;
    return send(response, 200, success({ name, ...(group !== '' && { group }), kind: plural, uid }));
  }

  async function deleteAll({ request, response, query }: Exchange, target: ObjectTarget): Promise<void> {
    const options = await deletion(request, query);
    const { items, resourceVersion } = selected(target, selectorOf(query, target));
    for (const { metadata } of items) {
      const { name, namespace } = metadata;
      try {
        await remove(ports, { ...target, name, namespace }, options);
      } catch (error) {
        // Gone with its owner, which was before it in the list.
        if (ports.store.get(keyAt({ ...target, name, namespace })) !== undefined) throw error;
      }
    }
    const { apiVersion, kind } = target;
    const listed = items.map((object) => inVersion(object, target));
    send(response, 200, { apiVersion, kind: `${kind.kind}List`, metadata: { resourceVersion }, items: listed });
  }

  function selected(target: ObjectTarget, selector: ReturnType<typeof selectorOf>) {
    const { group, kind } = target.kind;
    const { items, resourceVersion } = ports.store.list({ group, kind }, target.namespace);
    return { items: selector === undefined ? items : items.filter(selector), resourceVersion };
  }
}

function isWatch(query: URLSearchParams): boolean {
  return query.get('watch') === 'true' || query.get('watch') === '1';
}

/** A watch of one object by its address is one of all with its name. */
function selectorOf(query: URLSearchParams, { kind, name }: ObjectTarget) {
  const chosen = both(
    labelSelector(query.get('labelSelector') ?? undefined),
    fieldSelector(query.get('fieldSelector') ?? undefined, kind),
  );
  return name === undefined ? chosen : both(chosen, ({ metadata }) => metadata.name === name);
}

async function deletion(request: IncomingMessage, query: URLSearchParams): Promise<DeleteOptions> {
  const body = await readBody(request);
  return deleteOptionsOf(body.length === 0 ? {} : decodeObject(body, mediaTypeOf(request)), query);
}

function answerWritten(
  response: ServerResponse,
  code: number,
  { object, warnings }: Written,
  target: ObjectTarget,
): void {
  const shown = inVersion(object as KubernetesObject, target);
  send(response, code, shown, 'application/json', [...deprecation(target), ...warnings]);
}

function deprecation({ kind, apiVersion }: ObjectTarget): string[] {
  const version = kind.versions.find(({ name }) => name === apiVersion.split('/').at(-1));
  return version?.deprecated === undefined ? [] : [`${apiVersion} ${kind.kind} is deprecated; ${version.deprecated}`];
}
