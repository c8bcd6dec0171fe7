import { setImmediate as nextTurn } from 'node:timers/promises';

import type { FastifyInstance } from 'fastify';

import type { Entry } from '../log/log.ts';
import type { Store } from '../log/store.ts';
import { entryFor } from './entry-key.ts';
import { RunRoutes } from './run-routes.ts';
import type { RouteOfRun } from './run-routes.ts';
import { totalsOf } from './run-totals.ts';
import { treeOf } from './run-tree.ts';
import type { TreeOptions, TreeSources } from './run-tree.ts';
import type { EntryUsage, RunList, RunStatus, RunSummary, RunView } from './run-views.ts';
import { summaryOf } from './views.ts';

/** What the admin port must be told to show runs, and how what is declared hangs together. */
export interface FlowsPort {
  /** All that are declared, and those that only finish what they have; of a name that comes twice, the first counts. */
  readonly routes: () => Iterable<RouteOfRun>;
  /** What the attributes of an event say that a model has cost. */
  readonly usageOf: (attributes: Readonly<Record<string, unknown>>) => EntryUsage | undefined;
  /** What `GET /api/graph` answers with. */
  readonly graph: () => unknown;
}

/** Entries of one run that are looked at. */
const MOST_ENTRIES = 2_000;
/** Entries that are looked at for one list; runs that are not looked at by then are on its next page. */
const MOST_LISTED = 20_000;
/** Runs that are looked at for one list. */
const MOST_SCANNED = 2_000;
const ROOTS_AT_ONCE = 50;
/** The gate lets nothing come farther. */
const MOST_HOPS = 255;

const STATUSES: readonly RunStatus[] = ['running', 'waiting', 'succeeded', 'failed'];

type ListQuery = Partial<Record<'limit' | 'before' | 'topic' | 'type' | 'flow' | 'status', string>>;

/** Adds `/api/runs`, `/api/runs/<position or event id>` and `/api/graph`. `limitOf` reads the limit of a list. */
export function addRuns(
  server: FastifyInstance,
  { flows, store, limitOf }: { flows: FlowsPort; store: Store; limitOf: (query: { limit?: string }) => number },
): void {
  const sourcesNow = (): TreeSources => ({
    store,
    routes: new RunRoutes(flows.routes(), store.progress),
    usageOf: (attributes) => flows.usageOf(attributes),
  });

  server.get('/api/graph', () => flows.graph());

  server.get<{ Querystring: ListQuery }>('/api/runs', async ({ query }, reply) => {
    const { status } = query;
    if (status !== undefined && !STATUSES.some((it) => it === status)) {
      return reply.code(400).send({ error: `status: expected one of ${STATUSES.join(', ')}, got "${status}"` });
    }
    return listRuns(query, limitOf(query), sourcesNow());
  });

  server.get<{ Params: { key: string } }>('/api/runs/:key', ({ params: { key } }, reply) => {
    const entry = entryFor(store, key);
    if (entry === undefined) {
      return reply.code(404).send({ error: `there is no run with an event of the position or id "${key}"` });
    }
    return runOf(rootOf(store, entry), sourcesNow(), 'all');
  });
}

async function listRuns(query: ListQuery, limit: number, sources: TreeSources): Promise<RunList> {
  const runs: RunSummary[] = [];
  let scanned = 0;
  let entries = 0;
  for (const root of rootsOf(query, sources)) {
    const isEnough = runs.length === limit || scanned === MOST_SCANNED || entries >= MOST_LISTED;
    if (isEnough) return { runs, next: root.position + 1 };
    // Between two runs others have their turn.
    await nextTurn();
    const { root: _tree, ...run } = runOf(root, sources, 'wanted');
    scanned += 1;
    entries += run.entries;
    if (query.status === undefined || query.status === run.status) runs.push(run);
  }
  return { runs };
}

/** The entries that runs begin with, the newest first, read page by page. */
function* rootsOf({ before, topic, type, flow }: ListQuery, { store, routes }: TreeSources): Generator<Entry> {
  const ofFlow = flow === undefined ? undefined : routes.topicsOf(flow);
  const topics = ofFlow === undefined ? [topic] : [...ofFlow].filter((it) => topic === undefined || it === topic);
  let below = before === undefined ? undefined : Number(before);
  for (;;) {
    const page = topics
      .flatMap((it) => store.history.entries({ limit: ROOTS_AT_ONCE, roots: true, topic: it, type, before: below }))
      .toSorted((a, b) => b.position - a.position)
      .slice(0, ROOTS_AT_ONCE);
    yield* page;
    if (page.length < ROOTS_AT_ONCE) return;
    below = page.at(-1)!.position;
  }
}

/** The run that begins with an entry, see {@link TreeOptions} for its detail. */
function runOf(start: Entry, sources: TreeSources, detail: TreeOptions['detail']): RunView {
  const { root, entries, truncated } = treeOf(start, sources, { most: MOST_ENTRIES, detail });
  const { hops: _hops, cause: _cause, ...head } = summaryOf(start);
  return {
    ...head,
    flow: sources.routes.flowOf(start.topic),
    ...totalsOf(entries, Date.now()),
    ...(truncated ? { truncated } : {}),
    root,
  };
}

/** Where the run of an entry began; where that is no longer kept, the first that is. */
function rootOf({ log }: Store, entry: Entry): Entry {
  let root = entry;
  for (let hops = 0; root.cause !== undefined && hops <= MOST_HOPS; hops += 1) {
    const cause = log.get(root.cause.position);
    if (cause === undefined) break;
    root = cause;
  }
  return root;
}
