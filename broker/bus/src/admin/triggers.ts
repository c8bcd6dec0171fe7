import type { FastifyInstance, FastifyReply } from 'fastify';

import { FilterFault } from '../filter/filter.ts';
import { compileTriggerFilter } from '../filter/trigger-filter.ts';
import type { Position } from '../log/log.ts';
import type { Store } from '../log/store.ts';
import { backTest } from './back-test.ts';
import type { RouteOfRun } from './run-routes.ts';
import { BeyondEnd, moveOf } from './seek.ts';
import type { SeekTo } from './seek.ts';

/** What the admin port must be told to move Triggers. */
export interface SeekPort {
  /** A Trigger's route as it stands; undefined when it is not declared, or there is nothing for it to do. */
  standing(route: string): { readonly position: Position; readonly inFlight: number } | undefined;
  /**
   * Moves it: everything up to the position is behind it from then on, and nothing after that; forward, unless it has
   * come farther by itself. Waits for what is under way. Resolves when that is durable and it goes on; false when it is
   * not declared.
   */
  seek(route: string, position: Position, way: 'back' | 'forward'): Promise<boolean>;
}

export interface TriggersOptions {
  readonly store: Store;
  readonly routes: () => Iterable<RouteOfRun>;
  /** Default: none, and nothing answers under `/api/triggers/seek`. */
  readonly seek?: SeekPort | undefined;
}

/** What `POST /api/triggers/test` takes. */
export interface TestRequest {
  readonly namespace: string;
  readonly broker: string;
  readonly filter?: unknown;
  readonly filters?: unknown;
  /** The name of a route to compare with, in force for the same broker. */
  readonly route?: string | undefined;
  /** RFC 3339. Default: everything that is stored. */
  readonly since?: string | undefined;
  /** At most so many of the newest events. Default: {@link MOST_EVENTS}. */
  readonly limit?: number | undefined;
}

/** What `POST /api/triggers/seek` takes; a time in RFC 3339. */
export interface SeekRequest {
  readonly route: string;
  readonly to: 'beginning' | 'end' | { readonly position: number } | { readonly time: string };
  readonly dryRun?: boolean | undefined;
}

/** Events that one test looks at. */
const MOST_EVENTS = 1_000_000;

/** Adds `POST /api/triggers/test` and, where Triggers can be moved, `POST /api/triggers/seek`. */
export function addTriggers(server: FastifyInstance, { store, routes, seek }: TriggersOptions): void {
  const routeOf = (name: string) => [...routes()].find((it) => it.name === name);

  server.post<{ Body: Partial<TestRequest> | undefined }>('/api/triggers/test', async ({ body }, reply) => {
    const { namespace, broker, filter, filters, route, limit = MOST_EVENTS } = body ?? {};
    const since = body?.since === undefined ? undefined : Date.parse(body.since);
    if (typeof namespace !== 'string' || typeof broker !== 'string')
      return refuse(reply, 400, 'expected the namespace and the broker of a Trigger');
    if (Number.isNaN(since)) return refuse(reply, 400, `since: expected a time in RFC 3339, got "${body?.since}"`);
    if (!Number.isInteger(limit) || limit < 1)
      return refuse(reply, 400, 'limit: expected a whole number of at least 1');
    const topic = `broker/${namespace}/${broker}`;
    const inForce = route === undefined ? undefined : routeOf(route);
    try {
      return await backTest(store.history, {
        topic,
        filter: compileTriggerFilter({ filter, filters } as RouteOfRun['filter']),
        inForce:
          inForce?.topic === topic ? { route: inForce.name, filter: compileTriggerFilter(inForce.filter) } : undefined,
        since,
        limit: Math.min(limit, MOST_EVENTS),
      });
    } catch (error) {
      if (error instanceof FilterFault) return refuse(reply, 400, error.message);
      throw error;
    }
  });

  if (seek === undefined) return;
  server.post<{ Body: Partial<SeekRequest> | undefined }>('/api/triggers/seek', async ({ body }, reply) => {
    const name = String(body?.route);
    const to = seekToOf(body?.to);
    if (to === undefined)
      return refuse(reply, 400, 'to: expected "beginning", "end", {"position": number} or {"time": RFC 3339}');
    if (!name.startsWith('trigger/')) return refuse(reply, 400, `only Triggers can be moved, and "${name}" is none`);
    const route = routeOf(name);
    const standing = route && seek.standing(name);
    if (route === undefined || standing === undefined) return refuse(reply, 404, `there is no Trigger "${name}"`);
    try {
      const filter = compileTriggerFilter(route.filter);
      const move = await moveOf(name, { ...standing, topic: route.topic, filter }, to, store);
      if (body?.dryRun === true || move.from === move.to) return move;
      if (await seek.seek(name, move.to, move.to < move.from ? 'back' : 'forward')) return move;
      return await refuse(reply, 404, `the Trigger "${name}" is not declared any more`);
    } catch (error) {
      if (error instanceof BeyondEnd) return refuse(reply, 400, error.message);
      throw error;
    }
  });
}

function seekToOf(to: SeekRequest['to'] | undefined): SeekTo | undefined {
  if (to === 'beginning' || to === 'end') return to;
  if (typeof to !== 'object' || to === null) return undefined;
  if ('position' in to) return Number.isSafeInteger(to.position) && to.position >= 0 ? to : undefined;
  const time = Date.parse(to.time);
  return Number.isNaN(time) ? undefined : { time };
}

function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).send({ error });
}
