import type { DatabaseSync } from 'node:sqlite';

import { keyText } from '../object.ts';
import type { KubernetesObject, ObjectKey } from '../object.ts';
import { Past } from '../past.ts';
import { Present } from '../present.ts';
import type { WatchEvent } from '../store.ts';
import { withVersion } from '../transaction.ts';
import type { Bodies, Body } from './bodies.ts';
import { resultCode } from './result-code.ts';
import { Unsound } from './trouble.ts';

type Row = Record<string, unknown>;

/** Reads all that was kept. Throws an {@link Unsound} when it does not agree with itself. */
export function load(database: DatabaseSync, bodies: Bodies): { present: Present; past: Past } {
  try {
    return read(database, bodies);
  } catch (error) {
    if (resultCode(error) !== undefined) throw error;
    throw new Unsound((error as Error).message);
  }
}

function read(database: DatabaseSync, bodies: Bodies): { present: Present; past: Past } {
  const present = new Present();
  for (const row of database.prepare('SELECT * FROM object').iterate()) {
    const key = keyOf(row);
    present.set(key, bodies.decode(key, { body: row['body'], sum: row['sum'] } as Body));
  }
  const states = database.prepare('SELECT latest, oldest FROM state').all();
  if (states.length !== 1) throw new Error(`it has ${states.length} states`);
  const { latest, oldest } = states[0] as { latest: number; oldest: number };
  const events = readBackwards(database, bodies, present).toReversed();
  if (oldest + events.length !== latest) {
    throw new Error(`${events.length} changes are there, not those after version ${oldest} up to ${latest}`);
  }
  return { present, past: new Past(oldest, events) };
}

/** From the present back, so that each object is known by what came after it. */
function readBackwards(database: DatabaseSync, bodies: Bodies, present: Present): WatchEvent[] {
  const known = new Map<string, KubernetesObject | undefined>();
  const events: WatchEvent[] = [];
  let next: number | undefined;
  for (const row of database.prepare('SELECT * FROM change ORDER BY version DESC').iterate()) {
    const version = row['version'] as number;
    if (next !== undefined && version !== next - 1) throw new Error(`the change before version ${next} is missing`);
    next = version;
    const key = keyOf(row);
    const text = keyText(key);
    const after = known.has(text) ? known.get(text) : present.get(key);
    const previous =
      row['before'] === null && row['sum'] === null
        ? undefined
        : bodies.decode(key, { body: row['before'], sum: row['sum'] } as Body);
    known.set(text, previous);
    events.push(eventOf(key, version, previous, after));
  }
  return events;
}

function eventOf(
  key: ObjectKey,
  version: number,
  previous: KubernetesObject | undefined,
  after: KubernetesObject | undefined,
): WatchEvent {
  if (after === undefined) {
    if (previous === undefined) throw new Error(`${keyText(key)} was neither before version ${version} nor after it`);
    return { type: 'DELETED', key, object: withVersion(previous, String(version)), previous };
  }
  if (after.metadata.resourceVersion !== String(version)) {
    throw new Error(
      `${keyText(key)} has version ${after.metadata.resourceVersion}, and was changed last in ${version}`,
    );
  }
  return { type: previous === undefined ? 'ADDED' : 'MODIFIED', key, object: after, previous };
}

function keyOf(row: Row): ObjectKey {
  return {
    group: row['api_group'] as string,
    kind: row['kind'] as string,
    namespace: row['namespace'] as string,
    name: row['name'] as string,
  };
}
