import type { FunctionStatus } from '../running-function.ts';
import type { Problem } from './look.ts';
import type { Revision, RevisionStatus } from './revision.ts';

/** What holds for a function when any of the revisions that serve it is so; the first that holds. */
const STATES = ['running', 'starting', 'failing', 'idle'] as const;

/** How a function is over all its revisions. `serving` get its calls; a problem with what is declared goes first. */
export function statusOf({
  all,
  serving,
  problem,
}: {
  readonly all: readonly Revision[];
  readonly serving: readonly Revision[];
  readonly problem: Problem | undefined;
}): FunctionStatus {
  const statuses = serving.map((it) => it.status());
  const counts = all.map((it) => it.status());
  const sum = (count: (status: RevisionStatus) => number) => counts.reduce((total, it) => total + count(it), 0);
  const { reason, message } = problem ?? statuses.find((it) => it.reason !== '') ?? { reason: '', message: '' };
  return {
    instances: sum((it) => it.instances),
    inFlight: sum((it) => it.inFlight),
    waiting: sum((it) => it.waiting),
    state: STATES.find((state) => statuses.some((it) => it.state === state)) ?? 'unavailable',
    reason,
    message,
    notes: [...new Set(statuses.flatMap((it) => it.notes))],
  };
}
