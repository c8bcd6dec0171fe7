import type { Answer, HandlerContext } from '@millrace/event/handler';

import { compileTriggerFilter } from '../filter/trigger-filter.ts';
import type { Filter } from '../filter/filter.ts';
import type { Entry } from '../log/log.ts';
import type { JoinBranch, JoinTarget } from '../plan/plan.ts';
import { Decision } from './decision.ts';
import { failedParts, gathered } from './gathering.ts';
import type { Gathering } from './gathering.ts';
import { verdictOf } from './join-verdict.ts';
import { outcomeOf } from './part-outcome.ts';
import type { PartOutcome } from './part-outcome.ts';
import type { Strand } from './strands.ts';

/** The type of the event that tells what came of the branches of a Parallel. */
export const JOINED_TYPE = 'dev.millrace.parallel.joined';

const LATE: PartOutcome = { outcome: 'late', reason: 'no answer by the deadline of the join' };
const NOT_NEEDED: PartOutcome = { outcome: 'cancelled', reason: 'the join had what it wanted' };

interface Branch extends JoinBranch {
  readonly wants: Filter;
}

/**
 * The join of a Parallel as the one who takes its events: an event is taken when its branches have been decided about,
 * and the answer tells what came of them. Its state is what stands in the log: a process that begins with a join half
 * way finds out by itself how far it was. So it holds no data, be it of the event or of answers: only where they stand.
 */
export function openJoin(
  flow: string,
  target: JoinTarget,
  gathering: Gathering,
): (entry: Entry, context: HandlerContext) => Promise<Answer> {
  const branches = target.branches.map((it): Branch => ({ ...it, wants: compileTriggerFilter(it.filter) }));
  return async (entry, context) => {
    const join = new JoinUnderWay(entry, context, { target, branches, gathering });
    const parts = await join.end();
    if (parts.every((it) => it.outcome === 'skipped')) return { status: 200 };
    const named = branches.map((it, index) => [it.name, parts[index]!] as const);
    return gathered(entry, flow, { type: JOINED_TYPE, as: 'branch', parts: named }, gathering);
  };
}

interface JoinOptions {
  readonly target: JoinTarget;
  readonly branches: readonly Branch[];
  readonly gathering: Gathering;
}

/** The join of one event. */
class JoinUnderWay {
  readonly #options: JoinOptions;
  readonly #outcomes: (PartOutcome | undefined)[];
  readonly #open = new Set<Strand>();
  readonly #decision: Decision<readonly PartOutcome[]>;

  constructor(entry: Entry, context: HandlerContext, options: JoinOptions) {
    const { target, branches, gathering } = options;
    this.#options = options;
    this.#outcomes = branches.map((it) => (it.wants(entry.event) ? undefined : { outcome: 'skipped' }));
    const { environment, strands } = gathering;
    const { deadlineMs } = target;
    this.#decision = new Decision({ entry, deadlineMs, context, environment, late: () => this.#look(true) });
    for (const [index, { route }] of branches.entries()) {
      if (this.#outcomes[index] !== undefined) continue;
      const strand = strands.follow({ position: entry.position, route }, (end) => {
        this.#outcomes[index] = outcomeOf(end);
        this.#open.delete(strand);
        this.#look(false);
      });
      this.#open.add(strand);
    }
    strands.catchUp([...this.#open]);
    this.#look(false);
  }

  /** Resolves with what came of each branch; rejects when the join fails. */
  async end(): Promise<readonly PartOutcome[]> {
    const { target, gathering } = this.#options;
    try {
      return await this.#decision.made;
    } finally {
      for (const strand of this.#open) {
        gathering.strands.forget(strand);
        if (target.wanted !== 'all' && !this.#decision.isAborted) void gathering.cancel(strand.at);
      }
    }
  }

  #look(isLate: boolean): void {
    if (this.#decision.isMade) return;
    const { target } = this.#options;
    const verdict = verdictOf(this.#outcomes, target, isLate);
    if (verdict === 'open') return;
    const parts = this.#outcomes.map((it) => it ?? (isLate ? LATE : NOT_NEEDED));
    if (verdict === 'complete') this.#decision.make(parts);
    else this.#decision.fail(failedParts(`the join cannot be completed: ${this.#reasons(parts)}`));
  }

  #reasons(parts: readonly PartOutcome[]): string {
    return this.#options.branches
      .flatMap(({ name }, index) => {
        const part = parts[index]!;
        return 'reason' in part && part !== NOT_NEEDED ? [`${name}: ${part.reason}`] : [];
      })
      .join('; ');
  }
}
