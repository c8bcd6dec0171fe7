import { complaint, show } from './fault.ts';
import { parsePeriod } from './duration.ts';
import type { Rule } from './schema.ts';

/** Our annotations on a Parallel: which branches are waited for, how long, and what failures mean. */
export const JOIN = 'millrace.dev/join';
export const JOIN_DEADLINE = 'millrace.dev/join-deadline';
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
  const said = annotations?.[JOIN];
  if (said === undefined) return undefined;
  return {
    wanted: said === 'all' || said === 'first' ? said : Number(said),
    deadlineMs: parsePeriod(annotations?.[JOIN_DEADLINE] ?? DEFAULT_DEADLINE) ?? 0,
    failures: annotations?.[JOIN_FAILURES] === 'fail' ? 'fail' : 'complete',
  };
}

type Draft = {
  metadata?: { annotations?: Record<string, unknown> };
  spec?: { branches?: unknown };
};

/** The rule of a Parallel about its join. */
export const joinRule: Rule<Draft> = ({ metadata, spec }, _path, tell) => {
  const annotations = metadata?.annotations ?? {};
  const branches: readonly unknown[] = Array.isArray(spec?.branches) ? spec.branches : [];
  const at = (name: string) => `metadata.annotations[${JSON.stringify(name)}]`;
  const { [JOIN]: join, [JOIN_DEADLINE]: deadline, [JOIN_FAILURES]: failures } = annotations;
  if (join === undefined) {
    for (const name of [JOIN_DEADLINE, JOIN_FAILURES]) {
      if (annotations[name] !== undefined) tell.fault(complaint(at(name), `${JOIN} beside it`, 'no join'));
    }
    return;
  }
  const isNumber = typeof join === 'string' && /^[1-9]\d{0,3}$/.test(join) && Number(join) <= branches.length;
  if (join !== 'all' && join !== 'first' && !isNumber) {
    tell.fault(
      complaint(at(JOIN), `"all", "first", or a number from 1 to ${branches.length}, as text`, show('', join)),
    );
  }
  if (deadline === undefined) {
    const message = `the join has no ${JOIN_DEADLINE}: after ${DEFAULT_DEADLINE} it goes on with what has come`;
    tell.receipt(at(JOIN), message);
  } else if (typeof deadline === 'string' && !((parsePeriod(deadline) ?? 0) > 0)) {
    tell.fault(complaint(at(JOIN_DEADLINE), 'an ISO-8601 period of more than zero such as "PT5M"', show('', deadline)));
  }
  if (failures !== undefined && failures !== 'complete' && failures !== 'fail') {
    tell.fault(complaint(at(JOIN_FAILURES), '"complete" or "fail"', show('', failures)));
  }
  for (const [index, branch] of branches.entries()) {
    if ((branch as { reply?: unknown } | null)?.reply === undefined) continue;
    const path = `spec.branches[${index}].reply`;
    tell.fault(complaint(path, 'no reply of its own: the join takes the answers of the branches', 'a reply'));
  }
};
