import type { TypeView } from '@millrace/bus/admin/types';
import type { EventDetail } from '@millrace/bus/admin/views';

import { dataBlock } from './event-data.ts';
import { fields } from './table.ts';
import { age } from './time.ts';
import { placeOf, schemaText } from './type-table.ts';

/** All that is known of a type of events, for people: a block for each source and place, and the newest event. */
export function typePage(views: readonly TypeView[], example: EventDetail | undefined): string {
  const blocks = views.map((it) =>
    fields([
      ['Type', it.type],
      ['Source', it.source ?? 'every one'],
      ['Into', placeOf(it)],
      ['EventType', it.eventType ?? 'none'],
      ['Description', it.description],
      ['Schema', schemaText(it)],
      ['Events', `${it.count} since the start, ${it.perMinute} in the last minute`],
      ['Last', it.lastAt === undefined ? undefined : `${age(it.lastAt)} ago, position ${it.lastPosition}`],
    ]),
  );
  return `${blocks.join('\n')}\n${example === undefined ? 'Example:  none is kept\n' : exampleBlock(example)}`;
}

function exampleBlock(example: EventDetail): string {
  const { position, id, attributes } = example;
  const others = Object.entries(attributes).filter(([name]) => !TOLD.has(name));
  return (
    fields([
      ['Example', `${id}, position ${position}`],
      ...others.map(([name, value]) => [name, String(value)] as const),
    ]) + dataBlock(example)
  );
}

/** They stand above. */
const TOLD = new Set(['id', 'type', 'source', 'specversion', 'datacontenttype']);
