import type { Filter } from '../filter/filter.ts';
import { compileTriggerFilter } from '../filter/trigger-filter.ts';
import type { TriggerFilter } from '../filter/trigger-filter.ts';
import type { Entry, Position } from '../log/log.ts';
import type { Progress } from '../log/progress.ts';
import type { Route } from '../plan/plan.ts';

/** What a route wanted of the entries up to a position, before it was changed. */
export interface Earlier {
  readonly until: Position;
  readonly filter: Filter;
}

/** What each route of a topic wants, by its name. */
export type Wishes = Readonly<Record<string, TriggerFilter>>;

/** Wishes for what comes after a position, until the next version's. */
interface Version {
  readonly from: Position;
  readonly wishes: Wishes;
}

interface Compiled extends Version {
  readonly filters: ReadonlyMap<string, Filter>;
}

/** Decisions stand among the definitions of routes, none of which is called so. */
const KEY = 'decides/';
const NOTHING: Filter = () => false;

/**
 * Which of the routes of a topic takes an entry, where exactly one is to: by what all of them wanted when it came. They are
 * at different places of the topic when their filters are changed; if each went on by its new one, an entry between
 * those places would be taken by two, or by none. So what all wanted, and up to where, is kept as one text.
 *
 *   topic   ──── version 1 ────┃──── version 2 ────▶
 *   route a ───────────▲ (here)  takes by version 1 up to the line, then by version 2
 *   route b ──────▲
 */
export class Decisions {
  readonly #progress: Pick<Progress, 'define'>;
  readonly #versions = new Map<string, readonly Compiled[]>();

  constructor(progress: Pick<Progress, 'define' | 'definitions'>) {
    this.#progress = progress;
    for (const [key, text] of progress.definitions()) {
      if (isDecision(key)) this.#versions.set(key.slice(KEY.length), (JSON.parse(text) as Version[]).map(compiled));
    }
  }

  /** The topics that it knows of. */
  get topics(): Iterable<string> {
    return this.#versions.keys();
  }

  /** Where in a topic what is wanted now began to count; undefined for a topic that is not known. */
  startOf(topic: string): Position | undefined {
    return this.#versions.get(topic)?.at(-1)?.from;
  }

  /**
   * Up to where a route wants something that is wanted no more: `unbounded` for one that still does, undefined for one that
   * is not known.
   */
  endOf({ name, topic }: Route): Position | 'unbounded' | undefined {
    const versions = this.#versions.get(topic) ?? [];
    const last = versions.findLastIndex(({ filters }) => filters.has(name));
    return last === -1 ? undefined : (versions[last + 1]?.from ?? 'unbounded');
  }

  /** What a route wanted before, the oldest first. Where it was not there, it wanted nothing. */
  earlierOf({ name, topic }: Route): readonly Earlier[] {
    const versions = this.#versions.get(topic) ?? [];
    return versions
      .slice(1)
      .map(({ from }, index) => ({ until: from, filter: versions[index]!.filters.get(name) ?? NOTHING }));
  }

  /** What a route wants of an entry of its topic; undefined where its filter alone tells. */
  filterFor({ name, topic }: Route, position: Position): Filter | undefined {
    const versions = this.#versions.get(topic);
    const version = versions?.findLast(({ from }) => from < position) ?? versions?.[0];
    return version && (version.filters.get(name) ?? NOTHING);
  }

  /**
   * From a position on these are what is wanted in a topic. `before` is what was, where that is not known here; what all
   * routes have `passed` is forgotten. Resolves when that is durable, all of it at once; nothing is written for the same.
   */
  async declare(
    topic: string,
    wishes: Wishes,
    { from, before, passed }: { readonly from: Position; readonly before: Wishes; readonly passed: Position },
  ): Promise<void> {
    const known = this.#versions.get(topic) ?? (isNone(before) ? [] : [compiled({ from: 0, wishes: before })]);
    const last = known.at(-1);
    if (last !== undefined && isSame(last.wishes, wishes) && this.#versions.has(topic)) return;
    const all = last !== undefined && isSame(last.wishes, wishes) ? known : [...known, compiled({ from, wishes })];
    const versions = all.filter((_, index) => (all[index + 1]?.from ?? Number.POSITIVE_INFINITY) > passed);
    const kept = versions.map(({ from: begins, wishes: said }): Version => ({ from: begins, wishes: said }));
    await this.#progress.define(KEY + topic, JSON.stringify(kept));
    this.#versions.set(topic, versions);
  }

  /** Nothing reads the topic any more. Resolves when that is durable. */
  async forget(topic: string): Promise<void> {
    if (!this.#versions.has(topic)) return;
    await this.#progress.define(KEY + topic, undefined);
    this.#versions.delete(topic);
  }
}

/** Whether a kept definition is one of decisions, and not of a route. */
export function isDecision(key: string): boolean {
  return key.startsWith(KEY);
}

/** Whether its filter is one of several of which exactly one lets an entry pass: those of a Choice. */
export function isOption({ topic, step }: Route): boolean {
  return step?.flow === topic && topic.startsWith('choice/');
}

/** What a route wants of entries, with what it wanted before. */
export function entryFilter(filter: Filter, earlier: readonly Earlier[]): (entry: Entry) => boolean {
  if (earlier.length === 0) return ({ event }) => filter(event);
  return ({ event, position }) => (earlier.find((it) => position <= it.until)?.filter ?? filter)(event);
}

function compiled({ from, wishes }: Version): Compiled {
  const filters = Object.entries(wishes).map(([name, filter]) => [name, compileTriggerFilter(filter)] as const);
  return { from, wishes, filters: new Map(filters) };
}

function isNone(wishes: Wishes): boolean {
  return Object.keys(wishes).length === 0;
}

function isSame(a: Wishes, b: Wishes): boolean {
  const names = Object.keys(a);
  const isEqual = (name: string) => name in b && JSON.stringify(a[name]) === JSON.stringify(b[name]);
  return names.length === Object.keys(b).length && names.every(isEqual);
}
