import type { DeliveryView } from '@millrace/bus/admin/views';

import { dataBlock } from './event-data.ts';
import type { Lineage, Reply, RunEntry } from '../lineage.ts';
import { paint } from '../output.ts';
import type { Style } from '../output.ts';
import { programName } from '../program-name.ts';
import { printable } from './printable.ts';
import { fields, indented, table } from './table.ts';
import { age, clock, humanDuration, latency } from './time.ts';
import { drawTree } from './tree.ts';
import type { Tree } from './tree.ts';
import { spentText, usageText } from './usage.ts';

/** All that is known of an event, for people: what it is, where it came from, who got it and why, what came of it. */
export function eventPage(event: Lineage): string {
  const attributes = Object.entries(event.attributes).map(([name, value]) => [name, String(value)] as const);
  const headers = Object.entries(event.headers ?? {});
  return [
    fields([
      ['Position', event.position],
      ['Topic', event.topic],
      ['Arrived', `${event.arrivedAt} (${age(event.arrivedAt)} ago)`],
      ['Hops', event.hops],
    ]),
    `Attributes:\n${indented(fields(attributes))}`,
    headers.length === 0 ? '' : `Headers:\n${indented(fields(headers))}`,
    dataBlock(event),
    `Lineage:\n${indented(drawTree(familyOf(event)))}`,
    spentBlock(event),
    event.deliveries.length === 0 ? 'Routes:  none\n' : 'Routes:\n',
    ...event.deliveries.map((it) => indented(deliveryBlock(it, event.position))),
  ].join('');
}

/** From the first cause down to the event, and on to its replies. */
function familyOf(event: Lineage): Tree {
  const own = `${lineOf(event)}  <- this event`;
  let tree: Tree = { line: own, children: event.replies.map(replyTree) };
  for (const cause of event.causes) tree = { line: lineOf(cause), children: [tree] };
  const { cause: lost } = event.causes.at(-1) ?? event;
  return lost === undefined ? tree : { line: `${lost.position}  (no longer kept)`, children: [tree] };
}

function replyTree(reply: Reply): Tree {
  const more =
    reply.isCut === true ? [{ line: `...  (${programName()} events show ${reply.position})`, children: [] }] : [];
  return { line: lineOf(reply), children: [...reply.replies.map(replyTree), ...more] };
}

function lineOf({ position, type, source, cause, usage }: RunEntry): string {
  const origin = cause === undefined ? `from ${source}` : `reply of ${cause.route}`;
  return printable(`${position}  ${type}  ${origin}${usage === undefined ? '' : `  ${usageText(usage)}`}`);
}

/** What the whole run cost, as far as it is shown; nothing when that stands at the only event that cost something. */
function spentBlock(event: Lineage): string {
  const replies = descendantsOf(event);
  const usages = [...event.causes, event, ...replies].flatMap(({ usage }) => usage ?? []);
  if (usages.length < 2) return '';
  const isLeast = replies.some((it) => it.isCut === true);
  return fields([['Spent', spentText(usages, isLeast)]]);
}

function descendantsOf({ replies }: { readonly replies: readonly Reply[] }): Reply[] {
  return replies.flatMap((it) => [it, ...descendantsOf(it)]);
}

const STATES: Readonly<Record<DeliveryView['state'], readonly [label: string, style: Style]>> = {
  none: ['not matched', 'dim'],
  pending: ['pending', 'yellow'],
  delivered: ['delivered', 'green'],
  waiting: ['waiting for a retry', 'yellow'],
  deadLettered: ['dead-lettered', 'red'],
  dead: ['dead', 'red'],
  cancelled: ['cancelled', 'dim'],
};

function deliveryBlock({ route, state, reason, attempts, next }: DeliveryView, position: number): string {
  const [label, style] = STATES[state];
  const lines = [`${printable(route)}  ${paint(style, label)}\n`, `  ${printable(reason)}\n`];
  if (attempts.length > 0) {
    const rows = attempts.map((it) => [
      it.attempt,
      clock(it.startedAt),
      it.stage,
      it.outcome,
      it.status ?? '-',
      latency(it.duration),
      it.message,
    ]);
    const header = ['ATTEMPT', 'STARTED', 'STAGE', 'OUTCOME', 'STATUS', 'LATENCY', 'MESSAGE'];
    lines.push(indented(table(header, rows)));
  }
  if (next !== undefined) {
    const wait = Date.parse(next.dueAt) - Date.now();
    const when = wait > 0 ? `in ${humanDuration(wait)}` : 'now';
    lines.push(`  next: attempt ${next.attempt} (${printable(next.stage)}) ${when}, at ${next.dueAt}\n`);
  }
  if (state === 'dead') lines.push(`  see: ${programName()} dlq show ${position} --route ${printable(route)}\n`);
  return lines.join('');
}
