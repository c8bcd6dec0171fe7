import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { EventFault } from '@millrace/event/event';
import { decodeMessage, travellingHeaders } from '@millrace/event/http';
import type { RunningSource, WebResponse } from '@millrace/event/source';

import type { Gate } from '../log/gate.ts';
import { facts } from '../log/facts.ts';
import type { Refused } from '../log/facts.ts';
import type { Runs } from '../replies/runs.ts';
import type { Gatekeeper } from '../security/gatekeeper.ts';
import { webServer } from '../security/tls.ts';
import type { Identity } from '../security/tls.ts';
import type { FunctionDoor } from './function-door.ts';
import { hopsOf } from './hops.ts';
import type { Door, Paths } from './paths.ts';
import { acceptsJson, problem, problemOf, rawRefusal } from './problem.ts';
import type { Problem } from './problem.ts';
import { readRunPath, RunDesk } from './run-desk.ts';
import { waitPreferred } from './wait.ts';

export interface IngressOptions {
  readonly gate: Gate;
  readonly paths: Paths;
  /** Where functions are called: looks at every request first. */
  readonly functions: FunctionDoor;
  /** What came of events whose senders prefer to wait for it. */
  readonly runs: Runs;
  /** The data of one event, in bytes. */
  readonly maxEventBytes: number;
  /** True once the bus takes nothing more. */
  readonly isDraining: () => boolean;
  /** Default: plain HTTP. */
  readonly identity?: Identity | undefined;
  /** Who may send what. Default: everybody everything. */
  readonly gatekeeper?: Gatekeeper | undefined;
}

/** JSON may write a character of data as six (`\u001f`), and puts attributes beside it. */
const STRUCTURED_FACTOR = 6;
const ATTRIBUTES_BYTES = 64 * 1024;
/** A batch may be so many times as long as one event. */
const BATCH_EVENTS = 4;
const MAX_HEADER_BYTES = 32 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 8_000;
const KEEP_ALIVE_MS = 72_000;
const RETRY_AFTER_SECONDS = '1';

/**
 * The left door: events over HTTP into the log. Answers 202 when they are durable, and not before; otherwise as
 * knative.md §2.1 says, with a body that says what was wrong (RFC 9457).
 */
export function openIngress(options: IngressOptions): FastifyInstance {
  const { maxEventBytes, functions } = options;
  const structured = maxEventBytes * STRUCTURED_FACTOR + ATTRIBUTES_BYTES;
  const server = fastify({
    // A little more than an event may have, so that the gate can say by how much it is too long.
    bodyLimit: maxEventBytes + ATTRIBUTES_BYTES,
    serverFactory(receiveEvent) {
      const server = webServer(
        options.identity,
        {
          requestTimeout: REQUEST_TIMEOUT_MS,
          // Without its own limit for the headers, and without looking often, node holds a stalled sender for a minute.
          headersTimeout: HEADERS_TIMEOUT_MS,
          connectionsCheckingInterval: 1_000,
          maxHeaderSize: MAX_HEADER_BYTES,
          keepAliveTimeout: KEEP_ALIVE_MS,
        },
        (request, response) => {
          if (!functions.take(request, response)) receiveEvent(request, response);
        },
      );
      // Past 2000 headers node would drop the rest without a word; the limit in bytes is the one that counts.
      server.maxHeadersCount = 0;
      return server;
    },
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 1_024 },
    clientErrorHandler(error, socket) {
      // The limit is for events: what is uploaded to a function takes as long as it takes.
      if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && functions.isCalling(socket)) return;
      if (socket.writable) socket.end(rawRefusal(error));
      else socket.destroy();
    },
    frameworkErrors: (error, _request, reply) => {
      void refuse(reply, problem(400, `the request cannot be read: ${error.message}`));
    },
  });
  server.addHook('preClose', async () => functions.close());
  server.removeAllContentTypeParsers();
  const keep = (_request: unknown, body: Buffer, done: (error: null, body: Buffer) => void) => done(null, body);
  server.addContentTypeParser(
    /^application\/cloudevents-batch/i,
    { parseAs: 'buffer', bodyLimit: BATCH_EVENTS * structured },
    keep,
  );
  server.addContentTypeParser(/^application\/cloudevents\+/i, { parseAs: 'buffer', bodyLimit: structured }, keep);
  server.addContentTypeParser('*', { parseAs: 'buffer' }, keep);
  server.addHook('onRequest', async (request, reply) => {
    if (options.isDraining()) {
      await refuseStopping(reply);
      return;
    }
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      await refuse(reply, problem(415, `content-encoding ${encoding} is not read: send the body as it is`));
    }
  });
  server.setErrorHandler((error, request, reply) =>
    refuse(reply, problemOf(error, { contentType: request.headers['content-type'], maxEventBytes })),
  );
  const wired = { ...options, desk: new RunDesk(options.runs, options.gatekeeper) };
  server.all('/*', (request, reply) => receive(request, reply, wired));
  server.setNotFoundHandler((request, reply) => refuse(reply, problem(405, `${request.method} is not for here`)));
  return server;
}

async function receive(
  request: FastifyRequest,
  reply: FastifyReply,
  { paths, gate, functions, isDraining, desk, gatekeeper }: IngressOptions & { readonly desk: RunDesk },
): Promise<unknown> {
  // A body may take its time: what began before the end is told to come again, as the doors are closed by now.
  if (isDraining()) return refuseStopping(reply);
  const path = trimSlash(pathMeant(request, functions));
  const receiver = paths.receivers.get(path);
  if (receiver !== undefined) return hand(request, reply, receiver);
  const below = doorAt(path, paths);
  if (below !== undefined) return open(request, reply, below);
  const { method } = request;
  if (method !== 'POST') {
    const asked = method === 'OPTIONS' ? undefined : readRunPath(path, request.url);
    if (asked !== undefined) {
      desk.answer(request.raw, reply.hijack().raw, asked);
      return reply;
    }
    reply.header('allow', 'POST, OPTIONS');
    if (method !== 'OPTIONS') return refuse(reply, problem(405, `${method} is not for events: POST them`));
    return reply.header('webhook-allowed-origin', '*').header('webhook-allowed-rate', '*').code(200).send();
  }
  if (path === '') return refuse(reply, problem(404, 'no broker has this path: POST to /<namespace>/<broker>'));
  const inlet = paths.inlets.get(path);
  if (inlet === undefined && !isBrokerPath(path))
    return refuse(reply, problem(400, `${path} is no path of a broker: POST to /<namespace>/<broker>`));
  const { rawHeaders } = request.raw;
  const events = decodeMessage(rawHeaders, (request.body as Buffer | undefined) ?? EMPTY);
  if (events === undefined) {
    throw new EventFault(
      'ce-specversion',
      'a CloudEvent: this header, or Content-Type application/cloudevents+json',
      undefined,
    );
  }
  if (inlet === undefined) return refuse(reply, problem(404, `there is no ${kindAt(path)} at ${path}`));
  if (gatekeeper !== undefined) {
    const turned = await gatekeeper.check(inlet.path, rawHeaders, () => events);
    if (turned !== undefined) return refuse(reply, problem(turned.status, turned.detail));
  }
  const headers = travellingHeaders(rawHeaders);
  const hops = hopsOf(rawHeaders);
  // Of several events, none would be the one to wait for.
  const waitMs = events.length === 1 ? waitPreferred(request.headers['prefer']) : undefined;
  const findable = waitMs !== undefined;
  const entries = await gate.enter(
    inlet.topic,
    events.map((event) => ({ event, headers, hops, findable })),
  );
  const [first] = entries;
  if (waitMs !== undefined) {
    desk.hold(request.raw, reply.hijack().raw, first!, waitMs);
    return reply;
  }
  if (first !== undefined) reply.header('millrace-position', first.position);
  return reply.code(202).send();
}

const EMPTY = new Uint8Array();

async function hand(
  request: FastifyRequest,
  reply: FastifyReply,
  receiver: NonNullable<RunningSource['receive']>,
): Promise<unknown> {
  const { rawHeaders } = request.raw;
  const body = (request.body as Buffer | undefined) ?? EMPTY;
  const response: WebResponse = await receiver({ method: request.method, url: request.url, rawHeaders, body });
  if (response.status >= 400 && facts.refused.hasSubscribers) {
    const { detail = '' } = (response.body ?? {}) as { detail?: string };
    facts.refused.publish({ path: pathOf(request.url), status: response.status, reason: detail } satisfies Refused);
  }
  if (response.headers !== undefined) reply.headers(response.headers);
  reply.code(response.status);
  if (response.body === undefined) return reply.send();
  if (!reply.hasHeader('content-type')) reply.type('application/json');
  return reply.send(JSON.stringify(response.body));
}

async function open(
  request: FastifyRequest,
  reply: FastifyReply,
  { door, rest }: { readonly door: Door; readonly rest: string },
): Promise<unknown> {
  const gone = new AbortController();
  if (reply.raw.destroyed) gone.abort();
  reply.raw.once('close', () => gone.abort(new Error('the caller has gone')));
  const { method, raw } = request;
  const body = (request.body as Buffer | undefined) ?? EMPTY;
  const { status, rawHeaders, ...answer } = await door({
    method,
    rest,
    rawHeaders: raw.rawHeaders,
    body,
    signal: gone.signal,
  });
  if (gone.signal.aborted) return reply.hijack();
  // Past the framework, which would give data a media type where they have none.
  const length = status === 204 ? [] : ['Content-Length', String(answer.body.byteLength)];
  reply.raw.writeHead(status, [...rawHeaders, ...length]);
  reply.hijack().raw.end(answer.body);
  return reply;
}

/** The door whose path this is, or is below. */
function doorAt(path: string, { doors }: Paths): { door: Door; rest: string } | undefined {
  if (doors.size === 0) return undefined;
  const door = doors.get(path);
  if (door !== undefined) return { door, rest: '' };
  const slash = path.lastIndexOf('/');
  const above = doors.get(path.slice(0, slash));
  return above === undefined ? undefined : { door: above, rest: path.slice(slash) };
}

/** The path, below that which the host stands for where it is one of a channel's or the like. */
function pathMeant(request: FastifyRequest, { directory }: FunctionDoor): string {
  const path = pathOf(request.url);
  const host = directory.host(request.headers.host);
  return typeof host === 'object' && 'path' in host ? host.path + path : path;
}

/** Without the query: some senders put tokens there. */
function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

function trimSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/** `/<namespace>/<broker>`, or that of a channel or flow that may not be there. */
function isBrokerPath(path: string): boolean {
  return /^\/[^/]+\/[^/]+$/.test(path) || kindAt(path) !== 'broker';
}

function kindAt(path: string): string {
  return (
    /^\/(channel|flow|transform|request-repl)(?:s|ies)\/[^/]+\/[^/]+/.exec(path)?.[1]?.replace('repl', 'reply') ??
    'broker'
  );
}

function refuseStopping(reply: FastifyReply): FastifyReply {
  reply.header('connection', 'close');
  return refuse(reply, problem(503, 'the broker is about to stop and takes no more events'));
}

function refuse(reply: FastifyReply, why: Problem): FastifyReply {
  const { request } = reply;
  if (facts.refused.hasSubscribers) {
    facts.refused.publish({ path: pathOf(request.url), status: why.status, reason: why.detail } satisfies Refused);
  }
  // RFC 6750 §3.
  if (why.status === 401) reply.header('www-authenticate', 'Bearer');
  if (why.status === 405 && !reply.hasHeader('allow')) reply.header('allow', 'POST, OPTIONS');
  if (why.status === 503 || why.status === 507) reply.header('retry-after', RETRY_AFTER_SECONDS);
  reply.code(why.status);
  if (!acceptsJson(request.headers.accept)) return reply.send();
  return reply.type('application/problem+json').send(JSON.stringify({ type: 'about:blank', ...why }));
}
