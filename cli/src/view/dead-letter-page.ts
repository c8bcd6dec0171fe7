import type { DeadLetterView } from '@millrace/bus/admin/views';

import { dataBlock } from './event-data.ts';
import { programName } from '../program-name.ts';
import { printableLines } from './printable.ts';
import { fields, indented } from './table.ts';
import { age } from './time.ts';

/** A dead letter for people: what, why, how often, what the subscriber said, and the two ways on. */
export function deadLetterPage(letter: DeadLetterView): string {
  const { position, route, type, source, id, diedAt, attempts, failure } = letter;
  const { destination, status, message, body } = failure;
  return [
    fields([
      ['Position', position],
      ['Route', route],
      ['Type', type],
      ['Source', source],
      ['Id', id],
      ['Died', `${diedAt} (${age(diedAt)} ago), after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`],
      ['Reason', message],
      ['Subscriber', `${destination} ${status === undefined ? 'gave no answer' : `answered ${status}`}`],
    ]),
    body === undefined || body === '' ? '' : `Answer:\n${indented(`${printableLines(body)}\n`)}`,
    dataBlock(letter),
    '\n',
    fields([
      ['Deliver it again', `${programName()} dlq redrive ${position} --route ${route}`],
      ['Forget it', `${programName()} dlq purge ${position} --route ${route}`],
      ['See all of it', `${programName()} events show ${position}`],
    ]),
  ].join('');
}
