import type { IncomingMessage, ServerResponse } from 'node:http';

import fastify from 'fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';

import type { Entry } from '../log/log.ts';
import type { DeadLetterKey } from '../log/history.ts';
import type { Store } from '../log/store.ts';
import { entryFor } from './entry-key.ts';
import { addFunctions } from './functions.ts';
import type { FunctionsPort } from './functions.ts';
import { webServer } from '../security/tls.ts';
import type { Identity } from '../security/tls.ts';
import type { Visitor } from '../security/visitor.ts';
import { enter } from './guard.ts';
import type { GuardOptions } from './guard.ts';
import { addRuns } from './runs.ts';
import type { FlowsPort } from './runs.ts';
import { tail } from './tail.ts';
import type { TailQuery } from './tail.ts';
import { addTriggers } from './triggers.ts';
import { addTypes } from './types.ts';
import type { TypeView } from './types.ts';
import type { SeekPort } from './triggers.ts';
import { deadLetterOf, deliveryOf, entryOf, summaryOf } from './views.ts';
import type { EventDetail } from './views.ts';
import { addWhy } from './why.ts';

/** What the admin port shows and moves. */
export interface AdminOptions {
  readonly store: Store;
  /** What this process is: version, addresses, folder. */
  readonly about: () => Readonly<Record<string, unknown>>;
  /** The resources with their conditions. */
  readonly resources: () => readonly unknown[];
  /** What each route of an entry's topic makes of it, by its filter as it is now. */
  readonly verdicts: (entry: Entry) => readonly { route: string; matched: boolean; reason: string }[];
  readonly redrive: (selected: readonly DeadLetterKey[]) => Promise<number>;
  /** Default: none, and nothing answers under `/api/functions`. */
  readonly functions?: FunctionsPort | undefined;
  /** Default: nothing is known of routes, and nothing answers under `/api/runs`, `/api/graph`, `/api/why` and `/api/triggers`. */
  readonly flows?: FlowsPort | undefined;
  /** Default: Triggers cannot be moved, and nothing answers under `/api/triggers/seek`. */
  readonly seek?: SeekPort | undefined;
  /** Which events there are. Default: nothing answers under `/api/types`. */
  readonly types?: (() => readonly TypeView[]) | undefined;
  /**
   * What is asked first, and takes what is its own: a Kubernetes API. It refuses whoever is nobody (undefined), in its own
   * words. Default: nothing.
   */
  readonly api?:
    | { take(request: IncomingMessage, response: ServerResponse, visitor: Visitor | undefined): boolean }
    | undefined;
  /** Who may come in. Default: whoever is on this machine. */
  readonly guard?: GuardOptions | undefined;
  /** Default: plain HTTP. */
  readonly identity?: Identity | undefined;
  /** What must hold for this process to take events; the reason where it does not. */
  readonly checks: () => Readonly<Record<string, string | undefined>>;
  readonly metrics: { text(): Promise<string>; contentType: string };
}

const NO_EVENT = (key: string) => `there is no event with the position or id "${key}"`;
/** Beyond what clients keep a connection for: who sends on one that is being closed cannot know whether it was heard. */
const KEEP_ALIVE_MS = 72_000;
const MOST_ROWS = 1_000;
const DEFAULT_ROWS = 50;

/** The admin port: health, metrics, and what the commands ask. A web page elsewhere cannot reach it. */
export function openAdmin(options: AdminOptions): FastifyInstance {
  const { store, metrics, guard = {}, identity } = options;
  const server = fastify({
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 4_096 },
    serverFactory: (answerOthers) =>
      webServer(identity, { keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
        const entrance = enter(request, guard);
        if (entrance.outcome === 'foreign') return refuse(response, entrance.status, entrance.error);
        const visitor = entrance.outcome === 'known' ? entrance.visitor : undefined;
        if (options.api?.take(request, response, visitor) === true) return;
        if (visitor === undefined) return refuse(response, 401, TOKEN_WANTED);
        if (visitor.may === 'read' && !READING.has(request.method ?? '')) return refuse(response, 403, READ_ONLY);
        answerOthers(request, response);
      }),
  });
  server.setErrorHandler((error, _request, reply) => {
    const { statusCode = 500, message } = error as Error & { statusCode?: number };
    return answer(reply, statusCode, { error: message });
  });
  server.setNotFoundHandler((request, reply) =>
    answer(reply, 404, { error: `there is no ${request.method} ${request.url}` }),
  );

  server.get('/livez', () => 'ok\n');
  server.get('/readyz', (request, reply) => {
    const { verbose } = request.query as { verbose?: string };
    const checks = Object.entries(options.checks());
    const isReady = checks.every(([, why]) => why === undefined);
    reply.code(isReady ? 200 : 503).type('text/plain');
    if (verbose === undefined) return isReady ? 'ok\n' : 'not ready\n';
    const lines = checks.map(([name, why]) => (why === undefined ? `[+]${name} ok` : `[-]${name} failed: ${why}`));
    return `${[...lines, isReady ? 'readyz check passed' : 'readyz check failed'].join('\n')}\n`;
  });
  server.get('/metrics', async (_request, reply) => {
    reply.type(metrics.contentType);
    return metrics.text();
  });

  server.get('/api/about', () => options.about());
  server.get('/api/resources', () => options.resources());

  server.get<{ Querystring: Record<string, string> }>('/api/events', ({ query }) => {
    const { topic, type, source, id, before } = query;
    return store.history
      .entries({
        limit: limitOf(query),
        topic,
        type,
        source,
        id,
        before: before === undefined ? undefined : Number(before),
      })
      .map(summaryOf);
  });
  server.get<{ Params: { key: string } }>('/api/events/:key', ({ params }, reply) => {
    const entry = entryFor(store, params.key);
    if (entry === undefined) return answer(reply, 404, { error: NO_EVENT(params.key) });
    return detailOf(entry, options);
  });
  server.get<{ Params: { key: string } }>('/api/events/:key/data', ({ params }, reply) => {
    const entry = entryFor(store, params.key);
    if (entry === undefined) return answer(reply, 404, { error: NO_EVENT(params.key) });
    return reply.type('application/octet-stream').send(Buffer.from(entry.event.data ?? []));
  });
  server.get<{ Querystring: TailQuery }>('/api/tail', ({ query }, reply) => {
    reply.hijack();
    tail(reply.raw, query);
  });

  server.get<{ Querystring: Record<string, string> }>('/api/dead-letters', ({ query }) => {
    const { route, position } = query;
    return store.deadLetters
      .list({ limit: limitOf(query), route, position: position === undefined ? undefined : Number(position) })
      .map(deadLetterOf);
  });
  server.post<{ Body: Selection }>('/api/dead-letters/redrive', async ({ body }) => ({
    count: await overSelected(store, body, (keys) => options.redrive(keys)),
  }));
  server.post<{ Body: Selection }>('/api/dead-letters/purge', async ({ body }) => ({
    count: await overSelected(store, body, (keys) => store.deadLetters.purge(keys)),
  }));
  if (options.functions !== undefined) addFunctions(server, options.functions);
  if (options.types !== undefined) addTypes(server, options.types);
  const { flows, seek } = options;
  if (flows !== undefined) {
    const routes = () => flows.routes();
    addRuns(server, { flows, store, limitOf });
    addWhy(server, { store, routes });
    addTriggers(server, { store, routes, seek });
  }
  return server;
}

const READING = new Set(['GET', 'HEAD']);
const TOKEN_WANTED =
  'this port asks for a token: give its file with --token-file, or the token itself in MILLRACE_TOKEN';
const READ_ONLY = 'the token that was given is for reading only: this changes something, and needs the other one';

function refuse(response: ServerResponse, status: number, error: string): void {
  const challenge = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...challenge });
  response.end(JSON.stringify({ error }));
}

/** Which dead letters: those of a route, one of an event, or both left out for all. */
interface Selection {
  readonly route?: string;
  readonly position?: number;
}

/** At most so many move in one transaction. */
const AT_ONCE = 500;

async function overSelected(
  store: Store,
  selection: Selection,
  move: (keys: readonly DeadLetterKey[]) => Promise<number>,
): Promise<number> {
  const { route, position } = selection ?? {};
  // What dies again meanwhile is not taken up again: this must end.
  const diedBy = Date.now();
  let total = 0;
  for (;;) {
    const keys = store.deadLetters.list({ limit: AT_ONCE, route, position, diedBy });
    if (keys.length === 0) return total;
    const moved = await move(keys.map((key) => ({ route: key.route, position: key.position })));
    total += moved;
    // Those of routes that are gone stay, and would be found again.
    if (keys.length < AT_ONCE || moved === 0) return total;
  }
}

function detailOf(entry: Entry, { store, verdicts }: AdminOptions): EventDetail {
  const { position } = entry;
  const attempts = store.history.attempts(position);
  const waiting = store.history.waitingFor(position);
  const dead = new Set(store.deadLetters.list({ limit: MOST_ROWS, position }).map((it) => it.route));
  const known = verdicts(entry);
  // Routes that are no longer declared, or that only carry what was parked, have tried it too.
  const others = [...new Set([...attempts.map((it) => it.route), ...dead])]
    .filter((route) => known.every((it) => it.route !== route))
    .map((route) => ({ route, matched: true, reason: 'not declared for this topic now' }));
  const deliveries = [...known, ...others].map((verdict) =>
    deliveryOf(verdict, { attempts, waiting, isDead: dead.has(verdict.route) }),
  );
  return { ...entryOf(entry), deliveries, replies: store.history.replies(position).map(summaryOf) };
}

function limitOf(query: { readonly limit?: string }): number {
  const limit = Number(query.limit ?? DEFAULT_ROWS);
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, MOST_ROWS) : DEFAULT_ROWS;
}

function answer(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return reply.code(status).type('application/json').send(JSON.stringify(body));
}
