import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { Limits } from '@millrace/resources/container';
import { nearest } from '@millrace/resources/nearest';
import type { Scaling } from '@millrace/resources/scaling';

import { openLines } from './line-stream.ts';
import type { Skipped } from './line-stream.ts';

/** The functions of this process, as far as people look at them and move them. Names are `namespace/service`. */
export interface FunctionsPort {
  /** Sorted by name. */
  list(): readonly FunctionView[];
  /** Undefined when there is none of this name. */
  describe(name: string): FunctionView | undefined;
  /**
   * Gives all calls to the revision before, to the one named or, with `latest`, to the newest again. Resolves with its
   * name; rejects with an Error for people.
   */
  rollback(name: string, to?: string): Promise<string>;
  /** Sets bounds in the place of the declared ones; null lets those hold again. Throws an Error for people. */
  scale(name: string, bounds: { min?: number | null; max?: number | null }): void;
  /** What it wrote last, the oldest first, and what it writes from now on. */
  logs(
    name: string,
  ): { lines(): readonly WrittenLine[]; subscribe(listener: (line: WrittenLine) => void): () => void } | undefined;
}

/** A function at this moment. */
export interface FunctionView {
  /** `namespace/service`. */
  readonly name: string;
  readonly namespace: string;
  readonly service: string;
  readonly state: 'idle' | 'starting' | 'running' | 'failing' | 'unavailable';
  /** One CamelCase word when something is wrong or not done yet; empty otherwise. */
  readonly reason: string;
  readonly message: string;
  /** Where code finds it: `http://ticket-agent.default.svc.cluster.local`. */
  readonly url: string;
  readonly code:
    | {
        readonly language: string;
        readonly file: string | undefined;
        readonly command: readonly string[] | undefined;
      }
    | undefined;
  /** The newest first. */
  readonly revisions: readonly RevisionView[];
  /** The names of its variables. */
  readonly environment: readonly string[];
  readonly scaling: Scaling;
  readonly limits: Limits;
  readonly notes: readonly string[];
}

/** One revision of a function. */
export interface RevisionView {
  readonly name: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** Of the calls that ask for no tag. */
  readonly percent: number;
  readonly tags: readonly string[];
  readonly state: 'idle' | 'starting' | 'running' | 'failing' | 'retired';
  readonly reason: string;
  readonly message: string;
  readonly instances: number;
  /** Those of them that take calls. */
  readonly ready?: number;
  readonly inFlight: number;
  readonly waiting: number;
  /** How many instances the autoscaler wants; undefined at zero. */
  readonly desired: number | undefined;
  /** The rule that had the last word on that, for people. */
  readonly desiredReason?: string | undefined;
  /** Whether a rollback has given it all calls. */
  readonly isPinned: boolean;
}

/** A line that a function wrote. */
export interface WrittenLine {
  readonly function: string;
  readonly instance: string;
  readonly stream: 'stdout' | 'stderr';
  /** Without the line break. */
  readonly text: string;
  readonly eventId?: string;
  readonly traceId?: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** A line of `…/logs`; its time in RFC 3339. */
export type LogLine = ({ readonly kind: 'line'; readonly time: string } & Omit<WrittenLine, 'time'>) | Skipped;

/** What a rollback came to. */
export interface RolledBack {
  /** The revision that has all calls now. */
  readonly revision: string;
  /** Those that had them, with their percent. */
  readonly before: readonly { readonly revision: string; readonly percent: number }[];
}

interface Named {
  Params: { namespace: string; name: string };
}

const DEFAULT_LINES = 100;

/** Adds what can be asked of functions to the admin port. */
export function addFunctions(server: FastifyInstance, functions: FunctionsPort): void {
  /** Answers 404 where there is none of the name. */
  const find = ({ params }: FastifyRequest<Named>, reply: FastifyReply): FunctionView | undefined => {
    const name = `${params.namespace}/${params.name}`;
    const found = functions.describe(name);
    if (found === undefined) void reply.code(404).send({ error: noFunction(name, functions.list()) });
    return found;
  };

  server.get('/api/functions', () => functions.list());
  server.get<Named>('/api/functions/:namespace/:name', (request, reply) => find(request, reply) ?? reply);

  server.get<Named & { Querystring: LogQuery }>('/api/functions/:namespace/:name/logs', (request, reply) => {
    const { name } = find(request, reply) ?? {};
    const log = name === undefined ? undefined : functions.logs(name);
    if (log === undefined) return reply;
    const { event, follow, lines } = request.query;
    const isWanted = (line: WrittenLine) => event === undefined || event === line.eventId;
    const last = lastOf(log.lines().filter(isWanted), lines).map(textOf).join('');
    if (follow !== 'true') return reply.type('application/x-ndjson').send(last);
    reply.hijack();
    const stream = openLines(reply.raw, last);
    const unsubscribe = log.subscribe((line) => {
      if (isWanted(line)) stream.write(lineOf(line));
    });
    reply.raw.once('close', unsubscribe);
    return reply;
  });

  server.post<Named & { Body: { min?: number | null; max?: number | null } | null }>(
    '/api/functions/:namespace/:name/scale',
    (request, reply) => {
      const { name } = find(request, reply) ?? {};
      if (name === undefined) return reply;
      const { min, max } = request.body ?? {};
      if (min === undefined && max === undefined) {
        return reply.code(400).send({ error: 'expected {"min": …, "max": …}: one of them, or both' });
      }
      try {
        functions.scale(name, { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) });
      } catch (error) {
        return reply.code(400).send({ error: (error as Error).message });
      }
      return functions.describe(name);
    },
  );

  server.post<Named & { Body: { to?: unknown } | null }>(
    '/api/functions/:namespace/:name/rollback',
    async (request, reply) => {
      const found = find(request, reply);
      if (found === undefined) return reply;
      const { to } = request.body ?? {};
      if (to !== undefined && typeof to !== 'string') {
        return reply.code(400).send({ error: `to: expected the name of a revision, got ${JSON.stringify(to)}` });
      }
      const before = found.revisions
        .filter((it) => it.percent > 0)
        .map((it) => ({ revision: it.name, percent: it.percent }));
      try {
        return { revision: await functions.rollback(found.name, to), before } satisfies RolledBack;
      } catch (error) {
        return reply.code(409).send({ error: (error as Error).message });
      }
    },
  );
}

interface LogQuery {
  /** At most so many of the last ones. */
  readonly lines?: string;
  readonly follow?: string;
  /** Only of the event with this id. */
  readonly event?: string;
}

function lastOf(lines: readonly WrittenLine[], given: string | undefined): readonly WrittenLine[] {
  const count = given !== undefined && /^\d+$/.test(given) ? Number(given) : DEFAULT_LINES;
  return count === 0 ? [] : lines.slice(-count);
}

function lineOf({ time, ...line }: WrittenLine): LogLine {
  return { kind: 'line', time: new Date(time).toISOString(), ...line };
}

function textOf(line: WrittenLine): string {
  return `${JSON.stringify(lineOf(line))}\n`;
}

function noFunction(name: string, all: readonly FunctionView[]): string {
  const service = name.slice(name.indexOf('/') + 1);
  const near = nearest(
    service,
    all.map((it) => it.service),
  );
  const meant = all.find((it) => it.service === near)?.name;
  if (meant !== undefined) return `there is no function ${name}; did you mean ${meant}?`;
  return `there is no function ${name}; there are: ${all.map((it) => it.name).join(', ') || 'none'}`;
}
