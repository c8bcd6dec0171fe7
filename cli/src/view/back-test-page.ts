import type { BackTest, EventSample } from '@millrace/bus/admin/back-test';

import { paint } from '../output.ts';
import { printable } from './printable.ts';
import { indented, table } from './table.ts';

/** What the filter of a Trigger would have made of stored events, for people. */
export function backTestPage(trigger: string, result: BackTest): string {
  const { topic, events, matched, samples, from, to, isCut, completeSince } = result;
  const cut = isCut ? ', the newest of more' : '';
  const span = from === undefined ? '' : ` (${from} to ${to}${cut})`;
  return [
    printable(`Trigger ${trigger}: ${matched} of ${many(events)} of ${topic} would have matched${span}.`) + '\n',
    sampleBlock(samples, matched),
    differenceBlock(result),
    completeSince === undefined
      ? ''
      : `Retention may have taken events before ${completeSince}: part of the time is not counted.\n`,
  ].join('');
}

function differenceBlock({ difference }: BackTest): string {
  if (difference === undefined) return 'No filter is in force to compare with.\n';
  const { route, matched, gained, gainedSamples, lost, lostSamples } = difference;
  const against = printable(`Against ${route} as it is in force, which matches ${matched}: `);
  if (gained === 0 && lost === 0) return `${against}no difference.\n`;
  return [
    `${against}${paint('green', `${gained} gained`)}, ${paint('red', `${lost} lost`)}.\n`,
    gained === 0 ? '' : `Gained:\n${sampleBlock(gainedSamples, gained)}`,
    lost === 0 ? '' : `Lost:\n${sampleBlock(lostSamples, lost)}`,
  ].join('');
}

function sampleBlock(samples: readonly EventSample[], count: number): string {
  if (samples.length === 0) return '';
  const rows = samples.map(({ position, type, source, id }) => [position, type, source, id]);
  const rest = count - samples.length;
  return indented(table(['POSITION', 'TYPE', 'SOURCE', 'ID'], rows) + (rest > 0 ? `and ${rest} more\n` : ''));
}

function many(events: number): string {
  return `${events} event${events === 1 ? '' : 's'}`;
}
