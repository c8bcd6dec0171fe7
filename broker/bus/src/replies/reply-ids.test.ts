import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { openReplyIds } from './reply-ids.ts';

describe('reply ids', () => {
  const ids = openReplyIds();

  test('are known again, whatever the id of the event, and are never the same', () => {
    for (const eventId of ['1', 'a:b:0', ':', 'Grüße\n', 'x'.repeat(1_000)]) {
      const made = [ids.make('default/ask', eventId), ids.make('default/ask', eventId)];
      assert.notEqual(made[0], made[1]);
      for (const it of made) {
        assert.ok(it.startsWith(`${eventId}:`) && it.endsWith(':0'));
        assert.equal(ids.isOurs('default/ask', it), true, eventId);
      }
    }
  });

  test('are of one event at one RequestReply of one process', () => {
    const made = ids.make('default/ask', 'event');
    const [, token = ''] = made.split(':');
    assert.equal(ids.isOurs('default/other', made), false);
    assert.equal(openReplyIds().isOurs('default/ask', made), false);
    for (const other of ['', ':', '::0', 'event', `event:${token}`, `event:${token}:1`, `other:${token}:0`, `event::0`])
      assert.equal(ids.isOurs('default/ask', other), false, other);
    for (let at = 0; at < token.length; at += 1) {
      const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
      assert.equal(ids.isOurs('default/ask', `event:${changed}:0`), false, changed);
    }
  });
});
