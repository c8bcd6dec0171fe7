import { attributesOf } from '@millrace/event/json';

import type { Entry } from '../log/log.ts';
import type { Store } from '../log/store.ts';
import type { RunRoutes } from './run-routes.ts';
import type { EntryUsage, RunDelivery, RunEntry } from './run-views.ts';
import { deliveryOf, summaryOf } from './views.ts';

/** What trees of runs are made from. */
export interface TreeSources {
  readonly store: Store;
  readonly routes: RunRoutes;
  /** What the attributes of an event say that a model has cost. */
  readonly usageOf: (attributes: Readonly<Record<string, unknown>>) => EntryUsage | undefined;
}

export interface TreeOptions {
  /** At most so many entries. */
  readonly most: number;
  /**
   * Which deliveries stand in it: those that took an entry or will (`wanted`), with the reasons why (`reasons`), or also
   * those of routes that did not want it (`all`). In this order it costs more.
   */
  readonly detail: Detail;
}

type Detail = 'wanted' | 'reasons' | 'all';

/** A tree that is still being made. */
interface Node extends RunEntry {
  readonly deliveries: Branch[];
}
interface Branch extends RunDelivery {
  readonly replies: Node[];
}

const RESULTS = 'results/';
const ITEMS = 'items/';
const NOT_DECLARED = 'not declared for this topic now';
const TOO_YOUNG = 'the filter lets it pass now, but the route was past it before';
/** Entries times routes may be many: after so many deliveries, those of routes that did not want an entry are left out. */
const MOST_TOLD = 10_000;

/**
 * Follows an entry by cause to everything that came of it, level by level. Reads an entry and its attempts once each,
 * and more only of what is not over.
 */
export function treeOf(
  root: Entry,
  sources: TreeSources,
  { most, detail }: TreeOptions,
): { readonly root: RunEntry; readonly entries: readonly RunEntry[]; readonly truncated: boolean } {
  const { history } = sources.store;
  const first = nodeOf(root, sources, detail);
  const nodes = [first];
  let deliveries = first.deliveries.length;
  for (const node of nodes) {
    for (const reply of history.replies(node.position)) {
      if (nodes.length >= most) return { root: first, entries: nodes, truncated: true };
      const child = nodeOf(reply, sources, detail === 'all' && deliveries >= MOST_TOLD ? 'reasons' : detail);
      bringing(node, reply.cause!.route).replies.push(child);
      nodes.push(child);
      deliveries += child.deliveries.length;
    }
  }
  return { root: first, entries: nodes, truncated: false };
}

function nodeOf(entry: Entry, sources: TreeSources, detail: Detail): Node {
  const { topic, event } = entry;
  const usage = sources.usageOf(attributesOf(event));
  return {
    ...summaryOf(entry),
    ...(topic.startsWith(RESULTS) ? { outcomeOf: topic.slice(RESULTS.length) } : {}),
    ...(usage === undefined ? {} : { usage }),
    deliveries: deliveriesOf(entry, sources, detail),
  };
}

function deliveriesOf(entry: Entry, { store, routes }: TreeSources, detail: Detail): Branch[] {
  const { position, topic, event } = entry;
  const attempts = store.history.attempts(position);
  const last = new Map(attempts.map((it) => [it.route, it.outcome]));
  const outcomes = new Set(last.values());
  // A dead letter waits again when somebody has redriven it.
  const mayWait = outcomes.has('retrying') || outcomes.has('parked');
  const waiting = mayWait ? store.history.waitingFor(position) : [];
  const dead = outcomes.has('parked') ? store.deadLetters.list({ limit: last.size, position }) : [];
  const branchOf = (route: string, matched: boolean, reason: string): Branch => {
    const past = { attempts, waiting, isDead: dead.some((it) => it.route === route) };
    return Object.assign(deliveryOf({ route, matched, reason }, past), { replies: [] });
  };

  const declared = routes.of(topic).flatMap((route): Branch[] => {
    const { name, step } = route;
    const matched = routes.wants(route, event);
    const isTooYoung = matched && !last.has(name) && routes.hasPassed(route, position);
    const isWanted = last.has(name) || (matched && !isTooYoung);
    if (!isWanted && detail !== 'all') return [];
    const reason = isTooYoung ? TOO_YOUNG : detail === 'wanted' ? '' : routes.why(route, event);
    const branch = branchOf(name, matched, reason);
    return [{ ...branch, ...(isTooYoung ? { state: 'none' } : {}), ...(step === undefined ? {} : { step }) }];
  });
  const known = new Set(declared.map((it) => it.route));
  const others = [...last.keys()].filter((it) => !known.has(it)).map((it) => branchOf(it, true, NOT_DECLARED));
  return [...declared, ...others];
}

/** The delivery that brought a reply. Items of a Map name the route that takes them, and are brought by the Map's own. */
function bringing({ deliveries }: Node, route: string): Branch {
  const own = route.startsWith(ITEMS) ? route.slice(ITEMS.length) : route;
  const found = deliveries.find((it) => it.route === route) ?? deliveries.find((it) => it.route === own);
  if (found !== undefined) return found;
  const unknown: Branch = {
    route: own,
    matched: true,
    reason: NOT_DECLARED,
    state: 'delivered',
    attempts: [],
    replies: [],
  };
  deliveries.push(unknown);
  return unknown;
}
