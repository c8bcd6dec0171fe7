import type { FastifyInstance } from 'fastify';

import type { Explanation } from '../filter/explain.ts';
import { needsOf } from '../filter/needs.ts';
import type { Need } from '../filter/needs.ts';
import { explainTriggerFilter } from '../filter/trigger-filter.ts';
import type { Entry } from '../log/log.ts';
import type { Store } from '../log/store.ts';
import { entryFor } from './entry-key.ts';
import { RunRoutes } from './run-routes.ts';
import type { RouteOfRun } from './run-routes.ts';
import { deliveryOf, summaryOf } from './views.ts';
import type { DeliveryView, EntrySummary } from './views.ts';

/** Why each route of an event's topic took it or not (`GET /api/why/<position or event id>`). */
export interface WhyView extends EntrySummary {
  readonly routes: readonly RouteWhy[];
}

/** What one route makes of an event, and why. */
export interface RouteWhy extends Omit<DeliveryView, 'state'> {
  /** `passed`: the filter lets it pass now, but the route was past it before. The others as in {@link DeliveryView}. */
  readonly state: DeliveryView['state'] | 'passed';
  /** What the filter, as it is now, says of the event; undefined for a route that is not declared for this topic now. */
  readonly explanation?: Explanation | undefined;
  /** What would have to differ for the filter to let the event pass: nothing when it does; null when no event can pass. */
  readonly needs: readonly Need[] | null;
  /** Why it is a dead letter, or went to the dead letter sink. */
  readonly failure?: string | undefined;
}

interface WhyOptions {
  readonly store: Store;
  /** All routes that are declared or only finish what they have; of a name that comes twice, the first counts. */
  readonly routes: () => Iterable<RouteOfRun>;
}

/** Adds `GET /api/why/<position or event id>`; with `route`, of this one only. */
export function addWhy(server: FastifyInstance, { store, routes }: WhyOptions): void {
  server.get<{ Params: { key: string }; Querystring: { route?: string } }>(
    '/api/why/:key',
    ({ params: { key }, query: { route } }, reply) => {
      const entry = entryFor(store, key);
      if (entry === undefined) {
        return reply.code(404).send({ error: `there is no event with the position or id "${key}"` });
      }
      const all = whyOf(entry, store, new RunRoutes(routes(), store.progress));
      const wanted = route === undefined ? all : all.filter((it) => it.route === route);
      if (route !== undefined && wanted.length === 0) {
        const error = `event ${entry.position} is in ${entry.topic}, and "${route}" takes nothing from there`;
        return reply.code(404).send({ error });
      }
      return { ...summaryOf(entry), routes: wanted } satisfies WhyView;
    },
  );
}

function whyOf(entry: Entry, { history, deadLetters }: Store, routes: RunRoutes): RouteWhy[] {
  const { position, topic, event } = entry;
  const attempts = history.attempts(position);
  const waiting = history.waitingFor(position);
  const declared = routes.of(topic);
  const tried = new Set(attempts.map((it) => it.route));
  const gone = [...tried].filter((route) => declared.every((it) => it.name !== route));
  const pastOf = (route: string) => ({ attempts, waiting, dead: deadLetters.list({ limit: 1, position, route })[0] });

  const why = (route: string, explanation: Explanation | undefined, hasPassed: boolean): RouteWhy => {
    const { dead, ...past } = pastOf(route);
    const { matched = true, message: reason = 'not declared for this topic now' } = explanation ?? {};
    const delivery = deliveryOf({ route, matched, reason }, { ...past, isDead: dead !== undefined });
    return {
      ...delivery,
      state: delivery.state === 'pending' && hasPassed ? 'passed' : delivery.state,
      explanation,
      needs: explanation === undefined ? [] : (needsOf(explanation) ?? null),
      failure: dead?.failure.message ?? lastFailure(delivery),
    };
  };
  return [
    ...declared.map((it) => why(it.name, explainTriggerFilter(it.filter, event), routes.hasPassed(it, position))),
    ...gone.map((route) => why(route, undefined, true)),
  ];
}

/** Why the subscriber failed, and not its dead letter sink. */
function lastFailure({ attempts, state }: DeliveryView): string | undefined {
  if (state === 'none' || state === 'delivered') return undefined;
  return attempts.findLast((it) => it.stage === 'subscriber' && it.message !== undefined)?.message;
}
