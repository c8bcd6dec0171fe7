import type { FunctionView, LogLine, RevisionView } from '@millrace/bus/admin/functions';

import { programName } from '../program-name.ts';
import { boundsOf, instancesOf, shortName, stateOf } from './function-table.ts';
import { LOG_HEADER, logLine } from './log-line.ts';
import { printable, printableLines } from './printable.ts';
import { fields, indented, table } from './table.ts';
import { age, humanDuration } from './time.ts';

/** A function for people: where it is, what is run, how many there are and why, what is wrong and what to do. */
export function functionPage(
  view: FunctionView,
  { dataUrl, lines }: { readonly dataUrl: string; readonly lines: readonly LogLine[] },
): string {
  const { name, reason, message, url, environment, notes, revisions } = view;
  const written = lines.filter((it) => it.kind === 'line').map((it) => `${logLine(it)}\n`);
  return [
    fields([
      ['Name', name],
      ['State', stateOf(view)],
      ['Reason', reason === '' ? undefined : { text: reason, style: 'red' }],
      ['By host', `${url} (of functions; others: ${dataUrl} with this host)`],
      ['By path', `${dataUrl}/functions/${name}`],
      ['Code', codeOf(view)],
    ]),
    message === '' ? '' : `Message:\n${indented(`${printableLines(message)}\n`)}`,
    revisions.length === 0 ? 'Revisions:  none\n' : `Revisions:\n${indented(revisionTable(revisions))}`,
    `Scaling:\n${indented(scalingFields(view))}`,
    `Limits:\n${indented(limitFields(view))}`,
    environment.length === 0 ? '' : `Variables:  ${printable(environment.join(', '))}\n`,
    notes.length === 0 ? '' : `Notes:\n${indented(notes.map((it) => `${printable(it)}\n`).join(''))}`,
    written.length === 0 ? '' : `Last lines:\n${indented(`${LOG_HEADER}\n${written.join('')}`)}`,
    reason === '' ? '' : `What to do:\n${indented(adviceFor(view))}`,
  ].join('');
}

function codeOf({ code }: FunctionView): string {
  if (code === undefined) return 'not found';
  return `${code.language}, ${code.file ?? code.command?.join(' ') ?? ''}`;
}

function revisionTable(revisions: readonly RevisionView[]): string {
  return table(
    ['NAME', 'PERCENT', 'TAGS', 'STATE', 'INSTANCES', 'IN FLIGHT', 'WAITING', 'AGE', 'REASON'],
    revisions.map((it) => [
      it.name,
      `${it.percent}${it.isPinned ? ' (rolled back)' : ''}`,
      it.tags.join(', ') || '-',
      stateOf(it),
      instancesOf([it]),
      it.inFlight,
      it.waiting,
      age(it.createdAt),
      it.reason,
    ]),
  );
}

function scalingFields(view: FunctionView): string {
  const { metric, target, targetUtilizationPercentage, windowMs } = view.scaling;
  const aim = target === undefined ? '' : `, ${target} for each instance`;
  return fields([
    ['Bounds', boundsOf(view)],
    ['By', `${metric}${aim}, filled to ${targetUtilizationPercentage} %, over ${humanDuration(windowMs)}`],
    ...view.revisions
      .filter((it) => it.desired !== undefined)
      .map((it): [string, string] => {
        const because = it.desiredReason === undefined ? '' : `: ${it.desiredReason}`;
        return ['Wanted', `${it.desired} of ${it.name}${because}`];
      }),
  ]);
}

const MIB = 1024 * 1024;

function limitFields({ limits: { memoryBytes, cpus } }: FunctionView): string {
  return fields([
    ['Memory', memoryBytes === undefined ? 'none' : `${Math.round((memoryBytes / MIB) * 10) / 10} MiB`],
    ['Processors', cpus ?? 'none'],
  ]);
}

const ADVICE: Readonly<Record<string, string>> = {
  CodeNotFound: 'put its code at one of these places, or name it with the annotation millrace.dev/code',
  CrashLoop: 'mend what its last lines say; it is begun again by itself, and a change of its code is taken up',
  DependenciesNotInstalled: 'mend what it asks for (package.json, requirements.txt), or the way to the registry',
  Installing: 'wait: it begins when its packages are there',
  RevisionFailed: 'mend it: a change of its code or manifest makes the next revision, the one before goes on',
  RevisionMissing: 'name a revision of the table above in spec.traffic',
  SecretMissing: 'declare the Secret, or make the reference optional',
};

function adviceFor(view: FunctionView): string {
  const name = shortName(view);
  const canRollBack = view.revisions.some((it) => it.state === 'retired');
  const lines = [
    ADVICE[view.reason],
    `${programName()} fn logs ${name} -f`,
    canRollBack ? `${programName()} fn rollback ${name}` : undefined,
  ];
  return lines
    .filter((it) => it !== undefined)
    .map((it) => `${printable(it)}\n`)
    .join('');
}
