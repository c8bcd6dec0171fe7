import type { Attempt, DeadLetter, DeadLetterKey } from './history.ts';
import type { Entry, Position } from './log.ts';
import type { Settlement, Waiting } from './progress.ts';
import type { Store } from './store.ts';
import { Tail } from './tail.ts';
import { withoutData } from './without-data.ts';

/** A store that forgets everything at its end: for tests and simulations. Durable here means: taken. */
export function openMemoryStore(): Store {
  const entries = new Map<Position, Entry>();
  const tails = new Map<string, Tail>();
  const positions = new Map<string, Position>();
  const attempts = new Map<Position, Attempt[]>();
  const waiting = new Map<string, Waiting>();
  const dead = new Map<string, DeadLetter>();
  const findable = new Map<string, Position>();
  const definitions = new Map<string, string>();
  let last: Position = 0;

  const keyOf = ({ route, position }: DeadLetterKey) => `${position} ${route}`;
  const tailOf = (topic: string) => {
    const tail = tails.get(topic) ?? new Tail(0);
    tails.set(topic, tail);
    return tail;
  };
  /** Whether retention passes it by. */
  const isKept = (position: Position) => [...waiting.values(), ...dead.values()].some((it) => it.position === position);
  const isFinished = (route: string, position: Position) =>
    attempts.get(position)?.some((it) => it.route === route && it.outcome !== 'retrying') === true ||
    waiting.has(keyOf({ route, position }));

  function settle(settlement: Settlement): void {
    const { route, position, attempt, stage, outcome, startedAt, duration, status, failure, root, next } = settlement;
    const made = attempts.get(position) ?? [];
    const others = made.filter((it) => it.route !== route || it.attempt !== attempt);
    attempts.set(position, [...others, { route, attempt, stage, outcome, startedAt, duration, status, failure }]);
    const key = keyOf(settlement);
    waiting.delete(key);
    if (next !== undefined) waiting.set(key, { route, position, attempt: attempt + 1, ...next, failure: root });
    if (outcome === 'parked') {
      dead.set(key, {
        route,
        position,
        entry: entries.get(position)!,
        diedAt: startedAt,
        attempts: attempt,
        failure: root!,
      });
    }
  }

  return {
    log: {
      async append(drafts, settlement) {
        const added = drafts.map((draft) => ({ ...draft, position: (last += 1) }));
        for (const entry of added) {
          entries.set(entry.position, entry);
          if (entry.findable === true) findable.set(entry.event.id, entry.position);
        }
        if (settlement !== undefined) settle(settlement);
        for (const [topic, those] of Map.groupBy(added, (entry) => entry.topic)) tailOf(topic).push(those);
        return added;
      },
      async read(topic, after, limit, signal) {
        const tail = tailOf(topic);
        while (!signal.aborted) {
          const found =
            tail.after(after, limit) ??
            entries
              .values()
              .filter((it) => it.topic === topic && it.position > after)
              .take(limit)
              .toArray();
          if (found.length > 0) return found;
          await tail.grown(signal);
        }
        return [];
      },
      get: (position) => entries.get(position),
      end: (topic) => tailOf(topic).end,
      topics: () => [...new Set(entries.values().map((it) => it.topic))],
    },
    progress: {
      load(route) {
        const position = positions.get(route);
        if (position === undefined) return undefined;
        const beyond = entries.keys().filter((it) => it > position && isFinished(route, it));
        return { position, finished: new Set(beyond) };
      },
      async settle(settlements) {
        settlements.forEach(settle);
      },
      async save(saved) {
        for (const { route, position } of saved) positions.set(route, position);
      },
      async rewind(route, position) {
        positions.set(route, position);
        for (const [at, made] of attempts) {
          const key = keyOf({ route, position: at });
          if (at <= position || waiting.has(key) || dead.has(key)) continue;
          attempts.set(
            at,
            made.filter((it) => it.route !== route),
          );
        }
      },
      async define(route, definition) {
        if (definition === undefined) definitions.delete(route);
        else definitions.set(route, definition);
      },
      definitions: () => new Map(definitions),
      waiting: (route, limit) =>
        [...waiting.values()]
          .filter((it) => it.route === route)
          .toSorted((a, b) => a.dueAt - b.dueAt || a.position - b.position)
          .slice(0, limit),
      waitingAt: (route, position) => waiting.get(keyOf({ route, position })),
    },
    history: {
      find: (id) => entries.get(findable.get(id) ?? 0),
      entries: ({ limit, topic, before, id, type, source, roots }) =>
        [...entries.values()]
          .toReversed()
          .filter(
            (it) =>
              (topic === undefined || it.topic === topic) &&
              (roots !== true || it.cause === undefined) &&
              (before === undefined || it.position < before) &&
              (id === undefined || it.event.id === id) &&
              (type === undefined || it.event.type === type) &&
              (source === undefined || it.event.source === source),
          )
          .slice(0, limit),
      skim: (topic, { before = Number.POSITIVE_INFINITY, limit }) =>
        [...entries.values()]
          .toReversed()
          .filter((it) => it.topic === topic && it.position < before)
          .slice(0, limit)
          .map(withoutData),
      completeSince: (topic) =>
        entries.size === last
          ? undefined
          : entries.values().find((it) => it.topic === topic && !isKept(it.position))?.arrivedAt,
      attempts: (position) =>
        (attempts.get(position) ?? []).toSorted((a, b) => a.startedAt - b.startedAt || a.attempt - b.attempt),
      replies: (position) =>
        entries
          .values()
          .filter((it) => it.cause?.position === position)
          .toArray(),
      waitingFor: (position) =>
        waiting
          .values()
          .filter((it) => it.position === position)
          .toArray(),
      counts: () => ({
        entries: entries.size,
        waiting: countPerRoute(waiting.values()),
        deadLetters: countPerRoute(dead.values()),
      }),
    },
    deadLetters: {
      list: ({ route, position, diedBy = Number.POSITIVE_INFINITY, limit }) =>
        [...dead.values()]
          .filter(
            (it) =>
              (route === undefined || it.route === route) &&
              (position === undefined || it.position === position) &&
              it.diedAt <= diedBy,
          )
          .toSorted((a, b) => b.diedAt - a.diedAt)
          .slice(0, limit),
      async redrive(selected, dueAt) {
        const found = selected.map((key) => dead.get(keyOf(key))).filter((it) => it !== undefined);
        for (const letter of found) {
          const { route, position } = letter;
          waiting.set(keyOf(letter), {
            route,
            position,
            attempt: letter.attempts + 1,
            dueAt,
            stage: 'subscriber',
            tries: 0,
            failure: undefined,
          });
          dead.delete(keyOf(letter));
        }
        return found.length;
      },
      purge: async (selected) => selected.filter((key) => dead.delete(keyOf(key))).length,
    },
    async trim({ before, passed }) {
      let count = 0;
      for (const [topic, position] of passed) tails.get(topic)?.forget(position);
      for (const entry of entries.values()) {
        const { position } = entry;
        const isTooNew = entry.arrivedAt >= before || position === last;
        if (position > (passed.get(entry.topic) ?? 0) || isTooNew || isKept(position)) continue;
        entries.delete(position);
        attempts.delete(position);
        if (findable.get(entry.event.id) === position) findable.delete(entry.event.id);
        count += 1;
      }
      return count;
    },
    broken: new Promise(() => {}),
    async close() {},
  };
}

function countPerRoute(all: Iterable<{ route: string }>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { route } of all) counts[route] = (counts[route] ?? 0) + 1;
  return counts;
}
