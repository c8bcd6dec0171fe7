import type { RunStatus, RunSummary } from '@millrace/bus/admin/run-views';

import type { Style } from '../output.ts';
import { costText, runtime, tokensText } from './run-measures.ts';
import { table } from './table.ts';
import { age } from './time.ts';

/** The colour of each status. */
export const STATUS_STYLE: Readonly<Record<RunStatus, Style>> = {
  running: 'cyan',
  waiting: 'yellow',
  succeeded: 'green',
  failed: 'red',
};

/** Runs, a row each. */
export function runTable(runs: readonly RunSummary[]): string {
  return table(
    ['POSITION', 'FLOW', 'TYPE', 'STATUS', 'EVENTS', 'DELIVERIES', 'TOOK', 'TOKENS', 'COST', 'AGE'],
    runs.map((it) => {
      const more = it.truncated === true ? '+' : '';
      return [
        it.position,
        it.flow,
        it.type,
        { text: it.status, style: STATUS_STYLE[it.status] },
        `${it.entries}${more}`,
        `${it.deliveries}${more}`,
        runtime(it.duration),
        it.usage === undefined ? '-' : tokensText(it.usage),
        it.usage === undefined ? '-' : costText(it.usage),
        age(it.arrivedAt),
      ];
    }),
  );
}
