import type { CloudEvent } from '@millrace/event/event';
import type { Filter } from './filter.ts';
import type { Requirements } from './requirements.ts';

/**
 * Items with their filters, sorted by the exact `type` and `source` that they require, so that an event is held
 * against those only that could want it: among a thousand that each require another type, it costs about one filter.
 */
export class FilterIndex<T> {
  readonly #root: Branch<Branch<Entry<T>[]>> = level(() => level(() => []));
  readonly #requirements = new Map<T, Requirements>();

  /** How many items there are. */
  get size(): number {
    return this.#requirements.size;
  }

  /** Adds an item; one that is there already takes the new filter. */
  add(requirements: Requirements, filter: Filter, item: T): void {
    this.remove(item);
    this.#requirements.set(item, requirements);
    open(open(this.#root, requirements.type), requirements.source).push({ filter, item });
  }

  /** Removes an item. False when it is not there. */
  remove(item: T): boolean {
    const requirements = this.#requirements.get(item);
    if (requirements === undefined) return false;
    this.#requirements.delete(item);
    const { type, source } = requirements;
    const sources = open(this.#root, type);
    const rest = open(sources, source).filter((entry) => entry.item !== item);
    if (source === undefined) sources.rest = rest;
    else if (rest.length > 0) sources.byValue.set(source, rest);
    else sources.byValue.delete(source);
    if (type !== undefined && sources.byValue.size === 0 && sources.rest.length === 0) this.#root.byValue.delete(type);
    return true;
  }

  /** Calls `visit` with each item whose filter passes, in no particular order. Items may be removed meanwhile. */
  match(event: CloudEvent, visit: (item: T) => void): void {
    const typed = this.#root.byValue.get(event.type);
    if (typed !== undefined) matchSources(typed, event, visit);
    matchSources(this.#root.rest, event, visit);
  }
}

interface Entry<T> {
  readonly filter: Filter;
  readonly item: T;
}

/** What requires a certain value, by that value, and what requires none. */
interface Branch<Below> {
  readonly byValue: Map<string, Below>;
  rest: Below;
  readonly make: () => Below;
}

function level<Below>(make: () => Below): Branch<Below> {
  return { byValue: new Map(), rest: make(), make };
}

function open<Below>(branch: Branch<Below>, value: string | undefined): Below {
  if (value === undefined) return branch.rest;
  const found = branch.byValue.get(value) ?? branch.make();
  branch.byValue.set(value, found);
  return found;
}

function matchSources<T>(branch: Branch<Entry<T>[]>, event: CloudEvent, visit: (item: T) => void): void {
  const sourced = branch.byValue.get(event.source);
  if (sourced !== undefined) matchEntries(sourced, event, visit);
  matchEntries(branch.rest, event, visit);
}

function matchEntries<T>(entries: readonly Entry<T>[], event: CloudEvent, visit: (item: T) => void): void {
  for (const { filter, item } of entries) if (filter(event)) visit(item);
}
