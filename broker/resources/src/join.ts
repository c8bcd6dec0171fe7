import { parsePeriod } from './duration.ts';
import { complaint, show } from './fault.ts';
import { join as pathTo } from './path.ts';
import type { Rule, Tell } from './schema.ts';

/** Our annotation on a Parallel: makes one event of the answers of `all` branches, of the `first`, or of so many (a number as text). */
export const JOIN = 'millrace.dev/join';
/** How long a join waits, as an ISO-8601 period; PT10M unless said. */
export const JOIN_DEADLINE = 'millrace.dev/join-deadline';
/** What a failed branch means: `complete` (the default) names it in the result, `fail` makes the join fail. */
export const JOIN_FAILURES = 'millrace.dev/join-failures';

const DEFAULT_DEADLINE = 'PT10M';

/** How the answers of branches become one. */
export interface Join {
  /** All branches, the first that answers, or so many. */
  readonly wanted: 'all' | 'first' | number;
  /** From the arrival of the event. */
  readonly deadlineMs: number;
  /** `complete`: what failed is named in the result. `fail`: it makes the join fail. */
  readonly failures: 'complete' | 'fail';
}

/** The join that the annotations of a Parallel ask for; undefined when they ask for none. They must have passed validation. */
export function joinOf(annotations: Readonly<Record<string, string>> | undefined): Join | undefined {
  const wanted = annotations?.[JOIN];
  if (wanted === undefined) return undefined;
  return {
    wanted: wanted === 'all' || wanted === 'first' ? wanted : Number(wanted),
    deadlineMs: parsePeriod(annotations?.[JOIN_DEADLINE] ?? DEFAULT_DEADLINE) ?? 0,
    failures: annotations?.[JOIN_FAILURES] === 'fail' ? 'fail' : 'complete',
  };
}

// As the schema calls it: nothing inside is certain.
type Draft = { metadata?: { annotations?: Record<string, unknown> }; spec?: { branches?: unknown } };

/** The rule of a Parallel about its join. */
export const joinRule: Rule<Draft> = ({ metadata, spec }, _path, tell) => {
  const annotations = metadata?.annotations ?? {};
  const branches: readonly unknown[] = Array.isArray(spec?.branches) ? spec.branches : [];
  if (annotations[JOIN] === undefined) {
    const stray = [JOIN_DEADLINE, JOIN_FAILURES].filter((name) => annotations[name] !== undefined);
    for (const name of stray) tell.fault(complaint(at(name), `${JOIN} beside it`, 'no join'));
    return;
  }
  checkWanted(annotations[JOIN], branches.length, tell);
  checkDeadline(annotations[JOIN_DEADLINE], tell);
  checkFailures(annotations[JOIN_FAILURES], tell);
  for (const [index, branch] of branches.entries()) {
    const reply = (branch as { reply?: unknown } | null)?.reply;
    if (reply === undefined) continue;
    const path = `spec.branches[${index}].reply`;
    tell.fault(complaint(path, 'no reply of its own: the join takes the answers of the branches', show(path, reply)));
  }
};

function at(annotation: string): string {
  return pathTo('metadata.annotations', annotation);
}

function checkWanted(wanted: unknown, branches: number, tell: Tell): void {
  if (wanted === 'all' || wanted === 'first') return;
  if (typeof wanted === 'string' && /^[1-9]\d*$/.test(wanted) && Number(wanted) <= branches) return;
  const most = branches === 0 ? 'how many branches there are' : branches;
  tell.fault(complaint(at(JOIN), `"all", "first", or a number from 1 to ${most}, as text`, show('', wanted)));
}

function checkDeadline(deadline: unknown, tell: Tell): void {
  if (deadline === undefined) {
    const message = `the join has no ${JOIN_DEADLINE}: ${DEFAULT_DEADLINE} is taken, then it goes on with what has come`;
    tell.receipt(at(JOIN), message);
  } else if (typeof deadline === 'string' && !((parsePeriod(deadline) ?? 0) > 0)) {
    tell.fault(
      complaint(at(JOIN_DEADLINE), 'an ISO-8601 period of more than zero, such as "PT5M"', show('', deadline)),
    );
  }
}

function checkFailures(failures: unknown, tell: Tell): void {
  if (failures === undefined || failures === 'complete' || failures === 'fail') return;
  tell.fault(complaint(at(JOIN_FAILURES), '"complete" or "fail"', show('', failures)));
}
