import assert from 'node:assert/strict';

import type { Entry } from '@millrace/bus/log/log';
import { ITEM_HEADER } from '@millrace/bus/log/private-headers';

/**
 * A delivery brings at most one entry into the log, however often its subscriber was called: a reply, a dead letter, or
 * the event itself where the subscriber is a topic. Of a Map, one for each item. Throws where the log has more.
 */
export function checkCauses(entries: Iterable<Entry>): void {
  const brought = new Map<string, Entry>();
  for (const entry of entries) {
    const { cause, headers, position } = entry;
    if (cause === undefined) continue;
    const item = headers?.[ITEM_HEADER];
    const key = `${cause.route}, entry ${cause.position}${item === undefined ? '' : `, item ${item}`}`;
    const other = brought.get(key);
    assert.ok(other === undefined, `${key}: brought entry ${position} and entry ${other?.position}`);
    brought.set(key, entry);
  }
}
