import type { Join } from '@millrace/resources/join';

import type { PartOutcome } from './part-outcome.ts';

/** What is to be done about a join: wait on, answer with what there is, or give up. */
export type Verdict = 'open' | 'complete' | 'failed';

/**
 * Decides about a join by what has come of its branches so far (undefined: nothing yet), and whether its time is over.
 *
 * `all` is complete when every branch has ended; `first` and a number when so many have answered. A join whose failures
 * `complete` it waits for what can still come and then tells what failed; one that they `fail` gives up as soon as it
 * cannot get what it wants any more.
 */
export function verdictOf(
  outcomes: readonly (PartOutcome | undefined)[],
  { wanted, failures }: Pick<Join, 'wanted' | 'failures'>,
  isLate: boolean,
): Verdict {
  const taken = outcomes.filter((it) => it?.outcome !== 'skipped');
  const count = (...of: PartOutcome['outcome'][]) =>
    taken.filter((it) => it !== undefined && of.includes(it.outcome)).length;
  const open = taken.filter((it) => it === undefined).length;
  const answered = count('succeeded');
  if (wanted === 'all') {
    if (failures === 'fail' && count('failed', 'late', 'cancelled') > 0) return 'failed';
    if (open === 0) return 'complete';
    return isLate ? (failures === 'fail' ? 'failed' : 'complete') : 'open';
  }
  const least = Math.min(wanted === 'first' ? 1 : wanted, taken.length);
  if (answered >= least) return 'complete';
  const canStill = !isLate && answered + open >= least;
  if (failures === 'fail' && !canStill) return 'failed';
  return open === 0 || isLate ? 'complete' : 'open';
}
