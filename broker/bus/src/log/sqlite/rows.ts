import { makeEvent } from '@millrace/event/event';
import type { Attributes } from '@millrace/event/event';

import type { Attempt, DeadLetter } from '../history.ts';
import type { Entry } from '../log.ts';
import type { Failure, Outcome, Stage, Waiting } from '../progress.ts';

/** Rows of the tables as what they stand for. `nameOf` gives the name of a topic's or route's number. */

export type Row = Record<string, null | number | bigint | string | Uint8Array>;
export type NameOf = (id: number) => string;

export function entryOf(row: Row, nameOf: NameOf): Entry {
  return {
    position: row['position'] as number,
    topic: nameOf(row['topic'] as number),
    event: makeEvent(
      JSON.parse(row['attributes'] as string) as Attributes,
      (row['data'] as Uint8Array | null) ?? undefined,
    ),
    arrivedAt: row['arrived_at'] as number,
    hops: row['hops'] as number,
    cause:
      row['cause'] === null ? undefined : { position: row['cause'] as number, route: nameOf(row['route'] as number) },
    headers: row['headers'] === null ? undefined : JSON.parse(row['headers'] as string),
  };
}

export function attemptOf(row: Row, nameOf: NameOf): Attempt {
  return {
    route: nameOf(row['route'] as number),
    attempt: row['attempt'] as number,
    stage: row['stage'] as Stage,
    outcome: row['outcome'] as Outcome,
    startedAt: row['started_at'] as number,
    duration: row['duration'] as number,
    status: (row['status'] as number | null) ?? undefined,
    failure: failureOf(row),
  };
}

export function waitingOf(row: Row, nameOf: NameOf): Waiting {
  return {
    route: nameOf(row['route'] as number),
    position: row['position'] as number,
    attempt: row['attempt'] as number,
    dueAt: row['due_at'] as number,
    stage: row['stage'] as Stage,
    tries: row['tries'] as number,
    failure: failureOf(row),
  };
}

export function deadLetterOf(row: Row, nameOf: NameOf): DeadLetter {
  return {
    route: nameOf(row['dead_route'] as number),
    position: row['position'] as number,
    entry: entryOf(row, nameOf),
    diedAt: row['died_at'] as number,
    attempts: row['attempts'] as number,
    failure: failureOf(row)!,
  };
}

function failureOf(row: Row): Failure | undefined {
  const text = row['failure'] as string | null;
  return text === null ? undefined : (JSON.parse(text) as Failure);
}
