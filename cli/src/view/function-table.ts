import type { FunctionView, RevisionView } from '@millrace/bus/admin/functions';

import type { Style } from '../output.ts';
import { table } from './table.ts';
import type { Cell } from './table.ts';

/** As a command takes it: without the namespace that is taken when none is said. */
export function shortName({ name, namespace, service }: FunctionView): string {
  return namespace === 'default' ? service : name;
}

/** Functions, a row each. */
export function functionTable(functions: readonly FunctionView[]): string {
  return table(
    ['NAME', 'REVISION', 'INSTANCES', 'IN FLIGHT', 'STATE', 'WHY'],
    functions.map((it) => [
      shortName(it),
      servingOf(it),
      instancesOf(it.revisions),
      it.revisions.reduce((sum, { inFlight }) => sum + inFlight, 0),
      stateOf(it),
      whyOf(it),
    ]),
  );
}

/** The state in its colour. */
export function stateOf({ state }: { readonly state: RevisionView['state'] | FunctionView['state'] }): Cell {
  const style = STYLES[state];
  return style === undefined ? state : { text: state, style };
}

/** How many take calls, and how many there are to be: `2/3`; `0` where both are none. */
export function instancesOf(revisions: readonly RevisionView[]): string {
  const sum = (count: (revision: RevisionView) => number) => revisions.reduce((total, it) => total + count(it), 0);
  const ready = sum((it) => it.ready ?? it.instances);
  const desired = sum((it) => it.desired ?? it.instances);
  return ready === 0 && desired === 0 ? '0' : `${ready}/${desired}`;
}

/** Between which numbers the instances are kept. */
export function boundsOf({ scaling: { minScale, maxScale } }: FunctionView): string {
  if (maxScale === 0) return `at least ${minScale} ${minScale === 1 ? 'instance' : 'instances'}, no upper bound set`;
  return `from ${minScale} to ${maxScale} ${maxScale === 1 ? 'instance' : 'instances'}`;
}

const STYLES: Readonly<Record<string, Style>> = {
  running: 'green',
  starting: 'yellow',
  failing: 'red',
  unavailable: 'red',
};

/** The revision that has the calls; where they are split, each with its part. */
function servingOf({ revisions }: FunctionView): string {
  const serving = revisions.filter((it) => it.percent > 0);
  if (serving.length < 2) return serving[0]?.name ?? '-';
  return serving.map((it) => `${it.name} ${it.percent}%`).join(', ');
}

const MOST_WORDS = 12;

function whyOf({ reason, message }: FunctionView): string | undefined {
  if (reason === '') return undefined;
  const words = message.split(/\s+/);
  return `${reason}: ${words.slice(0, MOST_WORDS).join(' ')}${words.length > MOST_WORDS ? ' ...' : ''}`;
}
