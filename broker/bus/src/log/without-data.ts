import { makeEvent } from '@millrace/event/event';
import { attributesOf } from '@millrace/event/json';

import type { Entry } from './log.ts';

/** An entry without the data of its event: for who holds many of them, or looks at many. */
export function withoutData(entry: Entry): Entry {
  return { ...entry, event: makeEvent(attributesOf(entry.event), undefined) };
}
