import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { trigger } from '../support/manifests.ts';
import { startSubscriber } from '../support/subscriber.ts';

test('an event reaches its subscriber, and the reply reaches the next', async () => {
  await using first = await startSubscriber(() => ({
    status: 200,
    headers: {
      'ce-specversion': '1.0',
      'ce-id': 'r1',
      'ce-source': '/agent',
      'ce-type': 'answered',
      'content-type': 'text/plain',
    },
    body: 'the answer',
  }));
  await using second = await startSubscriber();
  await using bus = await startBus();
  await bus.apply(
    trigger('ask', first.url, { filter: { attributes: { type: 'asked' } } }) +
      trigger('tell', second.url, { filters: [{ cesql: "type = 'answered'" }] }),
  );
  const response = await post(`${bus.url}/default/default`, {
    type: 'asked',
    data: '{"q": 1}',
    headers: { traceparent: '00-11111111111111111111111111111111-2222222222222222-01' },
  });
  assert.equal(response.status, 202);
  const [asked] = await first.count(1);
  assert.equal(asked!.body.toString(), '{"q": 1}');
  assert.equal(asked!.headers['prefer'], 'reply');
  assert.equal(asked!.headers['kn-namespace'], 'default');
  assert.match(String(asked!.event!.extensions['knativearrivaltime']), /^\d{4}-.*Z$/);
  assert.match(String(asked!.headers['traceparent']), /^00-1{32}-(?!2{16})[\da-f]{16}-01$/);
  const [told] = await second.count(1);
  assert.equal(told!.event!.id, 'r1');
  assert.equal(told!.body.toString(), 'the answer');
  assert.equal(first.received.length, 1);
});

test('what fails for good rests among the dead letters, and is delivered once redriven', async () => {
  await using subscriber = await startSubscriber(() => ({ status: 422, body: '{"message": "no"}' }));
  await using bus = await startBus();
  await bus.apply(trigger('only', subscriber.url));
  await post(`${bus.url}/default/default`, { type: 'asked', data: 'x' });
  await subscriber.count(1);
  const letters = await bus.deadLetters(1);
  assert.equal(letters[0]!.route, 'trigger/default/only');
  assert.equal(letters[0]!.failure.status, 422);
  assert.equal(letters[0]!.attempts, 1);
  subscriber.answer(() => ({ status: 202 }));
  assert.equal(await bus.bus.redrive(letters), 1);
  const [, again] = await subscriber.count(2);
  assert.equal(again!.body.toString(), 'x');
});
