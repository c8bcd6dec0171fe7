import type { RunDelivery, RunEntry, RunView } from '@millrace/bus/admin/run-views';
import type { AttemptView } from '@millrace/bus/admin/views';

import { paint } from '../output.ts';
import type { Style } from '../output.ts';
import { programName } from '../program-name.ts';
import { printable } from './printable.ts';
import { bytesText, costText, counted, runtime, tokensText } from './run-measures.ts';
import { STATUS_STYLE } from './run-table.ts';
import { fields, indented } from './table.ts';
import { age, clock, humanDuration } from './time.ts';
import { drawTree } from './tree.ts';
import type { Tree } from './tree.ts';
import { usageText } from './usage.ts';

/** A run for people at a time in milliseconds since 1970: what began it, the tree of what followed, and the sum of it. */
export function runPage(run: RunView, now: number): string {
  return [
    fields([
      ['Run', run.position],
      ['Flow', run.flow],
      ['Status', { text: run.status, style: STATUS_STYLE[run.status] }],
      ['Began', `${run.arrivedAt} (${age(run.arrivedAt, now)} ago)`],
    ]),
    indented(drawTree(entryTree(run.root, now))),
    fields([['Total', totalOf(run)]]),
    run.truncated === true ? 'It is larger than what is shown: the numbers are the least.\n' : '',
  ].join('');
}

function totalOf({ duration, entries, deliveries, attempts, usage }: RunView): string {
  return [
    runtime(duration),
    counted(entries, 'event'),
    counted(deliveries, 'delivery', 'deliveries'),
    counted(attempts, 'attempt'),
    ...(usage === undefined ? [] : [`${tokensText(usage)} tokens in/out`]),
    ...(usage?.costUsd === undefined ? [] : [costText(usage)]),
  ].join(', ');
}

function entryTree(entry: RunEntry, now: number): Tree {
  const { position, type, source, cause, outcomeOf, size } = entry;
  const origin =
    outcomeOf === undefined ? (cause === undefined ? [`from ${source}`] : []) : [`outcome of ${outcomeOf}`];
  return {
    line: [String(position), type, ...origin, bytesText(size)].map(printable).join('  '),
    children: entry.deliveries.filter(isShown).map((it) => deliveryTree(it, entry, now)),
  };
}

/** Of routes that did not want an entry, only those of a flow say something: the ways that were not taken. */
function isShown({ state, step }: RunDelivery): boolean {
  return state !== 'none' || step !== undefined;
}

const STATES: Readonly<Record<RunDelivery['state'], readonly [mark: string, label: string, style: Style]>> = {
  none: ['·', 'not taken', 'dim'],
  pending: ['…', 'pending', 'cyan'],
  delivered: ['✓', 'delivered', 'green'],
  waiting: ['…', 'waiting for a retry', 'yellow'],
  deadLettered: ['✗', 'dead-lettered', 'red'],
  dead: ['✗', 'dead', 'red'],
  cancelled: ['-', 'cancelled', 'dim'],
};

function deliveryTree(delivery: RunDelivery, entry: RunEntry, now: number): Tree {
  const { route, step, state, reason, attempts, next, replies } = delivery;
  const [mark, label, style] = STATES[state];
  const line = [
    `${paint(style, mark)} ${printable(step?.name ?? route)}`,
    paint(style, label),
    state === 'none' ? printable(reason) : '',
    state === 'pending' ? `for ${age(entry.arrivedAt, now)}` : '',
    attempts.length === 0 ? '' : counted(attempts.length, 'attempt'),
    attempts.length === 0 ? '' : runtime(spanOf(attempts)),
    next === undefined ? '' : `attempt ${next.attempt} ${dueText(next.dueAt, now)}`,
    replyText(replies),
  ];
  const hint = state === 'dead' ? [`see: ${programName()} dlq show ${entry.position} --route ${route}`] : [];
  const notes = [...failuresOf(attempts), ...hint].map((it): Tree => ({ line: printable(it), children: [] }));
  return {
    line: line.filter((it) => it !== '').join('  '),
    children: [...notes, ...replies.map((it) => entryTree(it, now))],
  };
}

/** From the beginning of the first attempt to the end of the last, with the waits between them. */
function spanOf(attempts: readonly AttemptView[]): number {
  const [first] = attempts;
  const last = attempts.at(-1);
  if (first === undefined || last === undefined) return 0;
  return Date.parse(last.startedAt) + last.duration - Date.parse(first.startedAt);
}

function dueText(dueAt: string, now: number): string {
  const wait = Date.parse(dueAt) - now;
  return wait > 0 ? `in ${humanDuration(wait)}, at ${clock(dueAt)}` : 'is due';
}

function replyText(replies: readonly RunEntry[]): string {
  if (replies.length === 0) return '';
  const size = bytesText(replies.reduce((sum, it) => sum + it.size, 0));
  const spent = replies.flatMap(({ usage }) =>
    usage === undefined ? [] : [usageText({ costUsd: undefined, ...usage })],
  );
  const brought = replies.length === 1 ? `reply ${size}` : `${counted(replies.length, 'reply', 'replies')} ${size}`;
  return [brought, ...(spent.length === 1 ? spent.map(printable) : [])].join('  ');
}

const MOST_FAILURES = 3;

/** The last failures. Many attempts fail for the same reason. */
function failuresOf(attempts: readonly AttemptView[]): string[] {
  const failed = attempts.filter(
    (it) => it.message !== undefined && it.outcome !== 'delivered' && it.outcome !== 'cancelled',
  );
  return failed.slice(-MOST_FAILURES).map(({ attempt, stage, message }) => {
    const at = stage === 'subscriber' ? '' : ' at the dead letter sink';
    return `attempt ${attempt}${at}: ${message}`;
  });
}
