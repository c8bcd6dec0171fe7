import type { TypeView } from '@millrace/bus/admin/types';

import { table } from './table.ts';
import { age } from './time.ts';

/** Types of events, a row each. */
export function typeTable(views: readonly TypeView[]): string {
  return table(
    ['TYPE', 'SOURCE', 'INTO', 'EVENTS', 'PER MINUTE', 'LAST', 'SCHEMA'],
    views.map((it) => [
      it.type,
      it.source ?? '*',
      placeOf(it),
      it.count,
      it.perMinute,
      it.lastAt === undefined ? '-' : age(it.lastAt),
      schemaText(it),
    ]),
  );
}

/** Where events enter: `broker/default/orders`. */
export function placeOf({ into }: TypeView): string {
  return into === undefined ? '*' : `${into.kind.toLowerCase()}/${into.namespace}/${into.name}`;
}

/** What is known of a schema: its name, and whether it is there to hold events against. */
export function schemaText({ schema, hasSchema }: TypeView): string {
  if (!hasSchema) return schema === undefined ? '-' : `${schema} (not registered)`;
  return schema ?? 'registered';
}
