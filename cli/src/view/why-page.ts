import type { RouteWhy, WhyView } from '@millrace/bus/admin/why';

import { paint } from '../output.ts';
import type { Style } from '../output.ts';
import { programName } from '../program-name.ts';
import { filterTree } from './filter-tree.ts';
import { printable } from './printable.ts';
import { fields, indented } from './table.ts';
import { humanDuration } from './time.ts';
import { drawTree } from './tree.ts';

/** Why each route took an event or not, for people; what became of it there in one line each. */
export function whyPage(view: WhyView, now: number = Date.now()): string {
  const head = fields([
    ['Event', `${view.position}  ${view.type}  from ${view.source}`],
    ['Id', view.id],
    ['Topic', view.topic],
  ]);
  if (view.routes.length === 0) return `${head}\nNothing takes events from there.\n`;
  return [head, ...view.routes.map((it) => routeBlock(it, view.position, now))].join('\n');
}

function routeBlock(why: RouteWhy, position: number, now: number): string {
  const [text, style] = becameOf(why, position, now);
  const tree = why.explanation === undefined ? `${printable(why.reason)}\n` : drawTree(filterTree(why.explanation));
  return `${printable(why.route)}: ${paint(style, printable(text))}\n${indented(tree + needsBlock(why))}`;
}

function needsBlock({ needs }: RouteWhy): string {
  if (needs === null) return 'To match: no event can.\n';
  const [first, ...others] = needs.map((it) => printable(it.message));
  if (first === undefined) return '';
  if (others.length === 0) return `To match: ${first}\n`;
  return `To match, all of these:\n${[first, ...others].map((it) => `  ${it}\n`).join('')}`;
}

/** What became of it, in one line. */
function becameOf(why: RouteWhy, position: number, now: number): readonly [text: string, style: Style] {
  const { state, attempts, next, failure = 'nobody said why', route } = why;
  const last = attempts.at(-1);
  const tries = `${attempts.length} attempt${attempts.length === 1 ? '' : 's'}`;
  switch (state) {
    case 'none':
      return ['not matched', 'dim'];
    case 'pending':
      return ['matched; its turn has not come', 'yellow'];
    case 'passed': {
      const hint = route.startsWith('trigger/') ? ` (${programName()} trigger seek ${route} --to ${position})` : '';
      return [`matched, but not taken: the route was past it before${hint}`, 'yellow'];
    }
    case 'delivered':
      return [`delivered after ${tries}${last?.status === undefined ? '' : `, answered ${last.status}`}`, 'green'];
    case 'waiting': {
      const wait = next === undefined ? 0 : Date.parse(next.dueAt) - now;
      const when = wait > 0 ? `in ${humanDuration(wait)}` : 'now';
      return [`waiting after ${tries}, the next ${when}: ${failure}`, 'yellow'];
    }
    case 'dead':
      return [`dead letter after ${tries}: ${failure} (${programName()} dlq show ${position} --route ${route})`, 'red'];
    case 'deadLettered': {
      const where = last?.outcome === 'parked' ? 'a dead letter that was purged' : 'sent to the dead letter sink';
      return [`${where}, after ${tries}: ${failure}`, 'red'];
    }
    case 'cancelled':
      return [`called off after ${tries}`, 'dim'];
  }
}
