import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { compileTriggerFilter } from '@millrace/bus/filter/trigger-filter';
import type { Attempt } from '@millrace/bus/log/history';
import type { Entry, Position } from '@millrace/bus/log/log';
import { ITEM_HEADER } from '@millrace/bus/log/private-headers';
import type { Store } from '@millrace/bus/log/store';
import type { JoinTarget, MapTarget, Plan, Route } from '@millrace/bus/plan/plan';

import { checkCauses } from './causes.ts';
import type { Doing, FlowScenario } from './flows-scenario.ts';

/** A plan, from the moment that somebody wanted it until the one after it ran. */
export interface Version {
  readonly plan: Plan;
  readonly from: number;
  until: number;
}

/** What is known of a run beside its log. */
export interface Ran {
  readonly versions: readonly Version[];
  /** When each entry was in the log. */
  readonly durableAt: ReadonlyMap<Position, number>;
}

/** The data of an event that a function made. */
export interface Made {
  readonly by: string;
  /** Of the data that it was given. */
  readonly of: string;
  readonly items: readonly unknown[];
}

/** What a function replies to these data. */
export function madeBy(by: string, data: unknown): Made {
  const items = (data as { items?: readonly unknown[] } | null)?.items ?? [];
  return { by, of: digestOf(data), items };
}

/** What a function does with an event: the data alone decide, so it is the same at each call. */
export function doingOf({ functions }: FlowScenario, by: string, data: unknown): Doing {
  const turns = functions[Number(by.slice(1))]!;
  return turns[Number.parseInt(digestOf(data), 16) % turns.length]!;
}

function digestOf(data: unknown): string {
  return createHash('sha1').update(JSON.stringify(data)).digest('hex').slice(0, 8);
}

/** How what began with a delivery has ended, as the log tells it in the end. */
type End =
  | { readonly kind: 'replied'; readonly entry: Entry }
  | { readonly kind: 'silent' | 'failed'; readonly route: string }
  | { readonly kind: 'none' };

interface Row {
  readonly branch?: string;
  readonly item?: number;
  readonly outcome: string;
  readonly data?: unknown;
}

/**
 * Holds the log, when nothing happens any more, against what the flows say: each entry goes to those that were to take it
 * when it came, to each once; what a function replied is there once, where the flow goes on by one of the definitions
 * that were in force meanwhile; and each join and map tells what became of its parts.
 */
export function checkFlows(scenario: FlowScenario, store: Store, { versions, durableAt }: Ran): void {
  const entries = store.history.entries({ limit: Number.MAX_SAFE_INTEGER }).toReversed();
  checkCauses(entries);
  const children = Map.groupBy(
    entries.filter((it) => it.cause !== undefined),
    ({ cause }) => `${cause!.position} ${cause!.route}`,
  );
  const definitions = definitionsIn(versions);
  const filters = new Map<string, ReturnType<typeof compileTriggerFilter>>();

  for (const entry of entries) {
    const { must, may } = takersOf(entry);
    const tried = new Set(store.history.attempts(entry.position).map((it) => it.route));
    const where = `entry ${entry.position} in ${entry.topic}`;
    for (const name of tried) assert.ok(may.has(name), `${where}: ${name} took it and does not read it any more`);
    for (const name of may) {
      const wanted = must.has(name) && wants(name, entry);
      if (wanted) assert.ok(tried.has(name), `${where}: lost, ${name} never took it`);
      if (tried.has(name)) checkDelivery(entry, name);
    }
    const waiting = store.history.waitingFor(entry.position).map((it) => it.route);
    assert.deepEqual(waiting, [], `${where}: still waits`);
    if (entry.cause !== undefined && entry.headers?.[ITEM_HEADER] === undefined) {
      const { position, route } = entry.cause;
      assert.ok(finalOf(position, route) !== undefined, `${where}: comes from what is not finished`);
    }
  }

  /** The routes that were to take an entry when it came; those of `may` also, if they were being started or taken out. */
  function takersOf({ topic, position }: Entry): { must: Set<string>; may: Set<string> } {
    const at = durableAt.get(position)!;
    let readers: ReadonlySet<string> = new Set();
    const then: ReadonlySet<string>[] = [];
    for (const { plan, from, until } of versions) {
      const of = new Set(plan.routes.filter((it) => it.topic === topic).map((it) => it.name));
      if (of.size > 0) readers = of;
      if (from <= at && at <= until) then.push(readers);
    }
    const may = new Set(then.flatMap((it) => [...it]));
    const must = new Set([...may].filter((name) => then.every((it) => it.has(name))));
    // One that is put back before it was through with what it had goes on from there.
    const isPutBack = (name: string) => {
      const declared = versions.filter(({ plan }) => plan.routes.some((it) => it.name === name && it.topic === topic));
      return declared.some((it) => it.from <= at) && declared.some((it) => it.from > at);
    };
    for (const name of definitions.keys()) if (isPutBack(name)) may.add(name);
    return { may, must };
  }

  function wants(name: string, { event }: Entry): boolean {
    let filter = filters.get(name);
    if (filter === undefined) {
      filter = compileTriggerFilter(definitions.get(name)!.at(-1)!.route.filter);
      filters.set(name, filter);
    }
    return filter(event);
  }

  function finalOf(position: Position, route: string): Attempt | undefined {
    const final = store.history.attempts(position).filter((it) => it.route === route && it.outcome !== 'retrying');
    assert.ok(final.length <= 1, `entry ${position}, ${route}: ended ${final.length} times`);
    return final[0];
  }

  function checkDelivery(entry: Entry, name: string): void {
    const where = `entry ${entry.position}, ${name}`;
    assert.ok(wants(name, entry), `${where}: not wanted`);
    const final = finalOf(entry.position, name);
    assert.ok(final !== undefined, `${where}: not finished`);
    const brought = children.get(`${entry.position} ${name}`) ?? [];
    const end = final.startedAt + final.duration;
    const inForce = definitions.get(name)!.filter((it) => it.from <= end && final.startedAt <= it.until);
    const faults = inForce.map(({ route }) => faultOf(entry, route, final, brought));
    assert.ok(faults.includes(undefined), `${where}: ${faults.join(' or ')}`);
  }

  /** What is wrong with the outcome of a delivery, had this been its route. */
  function faultOf(entry: Entry, route: Route, final: Attempt, brought: readonly Entry[]): string | undefined {
    if (final.outcome === 'cancelled') {
      if (brought.length > 0) return 'cancelled, and brought something';
      return isNeededOnlyInPart(entry) ? undefined : 'cancelled';
    }
    switch (route.target.kind) {
      case 'topic':
        return faultOfHop(entry, route.target.topic, brought);
      case 'missing':
        return final.failure?.status === 410 || final.outcome === 'deadLettered' ? undefined : 'there is no target';
      case 'function':
        return faultOfCall(entry, route, final, brought);
      case 'join':
        return faultOfJoin(entry, route.target, final, brought[0]);
      case 'map':
        return faultOfMap(entry, route.target, final, brought[0]);
      default:
        return `a target of kind ${route.target.kind}`;
    }
  }

  function faultOfHop({ event }: Entry, topic: string, [next]: readonly Entry[]): string | undefined {
    if (next?.topic !== topic) return `went to ${next?.topic}, not to ${topic}`;
    return digestOf(dataOf(next)) === digestOf(jsonOf(event.data)) ? undefined : 'went on as another';
  }

  function faultOfCall(entry: Entry, route: Route, final: Attempt, [next]: readonly Entry[]): string | undefined {
    const { workload } = route.target as Extract<Route['target'], { kind: 'function' }>;
    const by = workload.split('/')[1]!;
    const data = dataOf(entry);
    const doing = doingOf(scenario, by, data);
    const fails = doing.kind === 'refuse' || (doing.kind === 'fail' && final.attempt <= doing.times);
    if (fails || final.stage === 'deadLetterSink') {
      if (doing.kind === 'reply' || doing.kind === 'nothing') return 'failed, and had no cause to';
      if (final.outcome === 'deadLettered') return next?.topic === DEAD ? undefined : 'no dead letter';
      if (final.outcome !== 'parked') return `${final.outcome}, and should have failed`;
      if (doing.kind === 'fail' && final.attempt <= route.delivery.retry) return 'given up early';
      return next === undefined ? undefined : 'parked, and brought something';
    }
    if (final.outcome !== 'delivered') return `${final.outcome}, and should have been delivered`;
    if (doing.kind === 'nothing' || route.replyTopic === undefined)
      return next === undefined ? undefined : 'there was nothing to reply';
    if (next === undefined) return 'the reply is lost';
    if (next.topic !== route.replyTopic) return `the reply went to ${next.topic}, not to ${route.replyTopic}`;
    return digestOf(dataOf(next)) === digestOf(madeBy(by, data)) ? undefined : 'the reply is another';
  }

  function faultOfJoin(
    entry: Entry,
    { branches, wanted, failures, deadlineMs }: JoinTarget,
    final: Attempt,
    joined: Entry | undefined,
  ): string | undefined {
    const { must } = takersOf(entry);
    const ends = branches.map(({ route, filter }): End | 'skipped' => {
      if (!compileTriggerFilter(filter)(entry.event)) return 'skipped';
      const end = endOf({ position: entry.position, route });
      if (end.kind === 'silent' && end.route.endsWith('/filter')) return 'skipped';
      return end.kind === 'none' && !must.has(route) ? 'skipped' : end;
    });
    const taken = ends.filter((it) => it !== 'skipped');
    const isLate = final.startedAt + final.duration >= entry.arrivedAt + deadlineMs;
    const hasFailed = taken.some((it) => it.kind === 'failed');
    if (final.outcome === 'parked') {
      if (failures === 'complete') return 'failed, and its failures complete it';
      if (joined !== undefined) return 'failed and answered';
      return hasFailed || isLate || wanted !== 'all' ? undefined : 'failed without a cause';
    }
    if (final.outcome !== 'delivered') return final.outcome;
    if (joined === undefined) return taken.length === 0 ? undefined : 'there is no result';
    const rows = dataOf(joined) as readonly Row[];
    if (rows.map((it) => it.branch).join() !== branches.map((it) => it.name).join()) return 'other branches';
    const least = Math.min(wanted === 'all' ? taken.length : wanted === 'first' ? 1 : wanted, taken.length);
    const succeeded = rows.filter((it) => it.outcome === 'succeeded').length;
    if (failures === 'fail' && succeeded < least && (wanted !== 'all' || hasFailed)) return 'completed, and has failed';
    const faults = rows.map((row, index) => {
      if (row.outcome === 'late') return isLate ? undefined : 'late before its time';
      if (row.outcome === 'cancelled') return wanted !== 'all' && succeeded >= least ? undefined : 'cancelled';
      return faultOfRow(row, ends[index]!);
    });
    return faults.find((it) => it !== undefined);
  }

  function faultOfMap(
    entry: Entry,
    { items: topic, toleratedFailures }: MapTarget,
    final: Attempt,
    joined: Entry | undefined,
  ): string | undefined {
    const { items } = dataOf(entry) as { items?: unknown };
    if (!Array.isArray(items)) return final.failure?.status === 422 ? undefined : 'there is no list';
    const made = new Map(
      (children.get(`${entry.position} ${topic}`) ?? []).map((it) => [Number(it.headers![ITEM_HEADER]), it]),
    );
    for (const [index, item] of made)
      if (digestOf(dataOf(item)) !== digestOf(items[index])) return `item ${index} is another`;
    const ends = items.map((_, index) => {
      const item = made.get(index);
      return item === undefined ? ({ kind: 'none' } as const) : endOf({ position: item.position, route: topic });
    });
    const failed = ends.filter((it) => it.kind === 'failed').length;
    if (final.outcome === 'parked') return failed > toleratedFailures ? undefined : `parked with ${failed} failures`;
    if (final.outcome !== 'delivered' || joined === undefined) return `${final.outcome} without a result`;
    const rows = dataOf(joined) as readonly Row[];
    if (rows.length !== items.length) return `${rows.length} of ${items.length} items`;
    return rows.map((row, index) => faultOfRow(row, ends[index]!)).find((it) => it !== undefined);
  }

  function faultOfRow(row: Row, end: End | 'skipped'): string | undefined {
    const name = `${row.branch ?? row.item} is ${row.outcome}`;
    if (end === 'skipped') return row.outcome === 'skipped' ? undefined : `${name}, and was skipped`;
    switch (row.outcome) {
      case 'succeeded':
        if (end.kind !== 'replied') return `${name}, and the log says: ${end.kind}`;
        return digestOf(dataOf(end.entry)) === digestOf(row.data) ? undefined : `${name} with other data`;
      case 'empty':
        return end.kind === 'silent' ? undefined : `${name}, and the log says: ${end.kind}`;
      case 'failed':
        return end.kind === 'failed' ? undefined : `${name}, and the log says: ${end.kind}`;
      default:
        return name;
    }
  }

  /** Follows replies through flows, as far as they are carried on. */
  function endOf(at: { position: Position; route: string }): End {
    const { position, route } = at;
    const reply = (children.get(`${position} ${route}`) ?? []).find((it) => it.topic !== DEAD);
    if (reply !== undefined) {
      const next = stepAfter(reply);
      return next === undefined ? { kind: 'replied', entry: reply } : endOf({ position: reply.position, route: next });
    }
    const final = finalOf(position, route);
    if (final === undefined) return { kind: 'none' };
    return { kind: final.outcome === 'delivered' ? 'silent' : 'failed', route };
  }

  function stepAfter(entry: Entry): string | undefined {
    const steps = [...takersOf(entry).may].filter(
      (name) => definitions.get(name)![0]!.route.step !== undefined && wants(name, entry),
    );
    return steps.find((name) => isGathering(definitions.get(name)![0]!.route)) ?? steps[0];
  }

  /** Whether a join or a map, somewhere before it, may do without it. */
  function isNeededOnlyInPart(entry: Entry): boolean {
    for (let at: Entry | undefined = entry; at !== undefined; at = parentOf(at)) {
      const isGathered = [...takersOf(at).may].some((name) => {
        const { target } = definitions.get(name)!.at(-1)!.route;
        return target.kind === 'join' && target.wanted !== 'all';
      });
      if (isGathered || at.headers?.[ITEM_HEADER] !== undefined) return true;
    }
    return false;
  }

  function parentOf({ cause }: Entry): Entry | undefined {
    return cause === undefined ? undefined : store.log.get(cause.position);
  }
}

const DEAD = 'channel/default/dead';

interface Definition {
  readonly route: Route;
  readonly from: number;
  readonly until: number;
}

/** How each route was defined, and when. The last definition of one that is taken out stays in force. */
function definitionsIn(versions: readonly Version[]): Map<string, Definition[]> {
  const definitions = new Map<string, Definition[]>();
  for (const [index, { plan, from, until }] of versions.entries()) {
    for (const route of plan.routes) {
      const others = definitions.get(route.name) ?? [];
      const before = others.at(-1);
      // One that was taken out in between stayed in force until this one was.
      const end = versions[index - 1]?.until ?? 0;
      const stayed = before === undefined ? [] : [{ ...before, until: Math.max(before.until, end) }];
      definitions.set(route.name, [...others.slice(0, -1), ...stayed, { route, from, until }]);
    }
  }
  const last = versions.at(-1)!;
  for (const all of definitions.values()) {
    const end = all.at(-1)!;
    if (!last.plan.routes.some((it) => it.name === end.route.name)) all[all.length - 1] = { ...end, until: Infinity };
  }
  return definitions;
}

function isGathering({ target }: Route): boolean {
  return target.kind === 'join' || target.kind === 'map';
}

function dataOf({ event }: Entry): unknown {
  return jsonOf(event.data);
}

function jsonOf(data: Uint8Array | undefined): unknown {
  return data === undefined ? undefined : JSON.parse(Buffer.from(data).toString());
}
