import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';

import type { Entry } from '../log/log.ts';
import { Rate } from './rate.ts';
import { Traffic } from './traffic.ts';

let position = 0;
function entry(topic: string, type: string, { source = '/shop', arrivedAt = 1_000, dataschema = '' } = {}): Entry {
  position += 1;
  const attributes = { specversion: '1.0', id: '1', source, type, ...(dataschema !== '' && { dataschema }) };
  return {
    topic,
    position,
    arrivedAt,
    hops: 0,
    event: makeEvent(attributes, undefined),
    cause: undefined,
    headers: undefined,
  };
}
const following = (...topics: string[]) => {
  const traffic = new Traffic();
  traffic.follow(new Map(topics.map((topic) => [topic, `Broker/default/${topic}`])));
  return traffic;
};

describe('traffic', () => {
  test('is counted by type and source, with the newest of each', () => {
    const traffic = following('orders');
    const last = entry('orders', 'created', { arrivedAt: 2_000, dataschema: 'https://example.com/v2' });
    traffic.entered([
      entry('orders', 'created'),
      entry('orders', 'paid'),
      entry('orders', 'created', { source: '/till' }),
    ]);
    traffic.entered([last]);
    const seen = traffic.since(0, 3_000);
    assert.deepEqual(
      seen.map(({ type, source, count }) => [type, source, count]),
      [
        ['created', '/shop', 2],
        ['created', '/till', 1],
        ['paid', '/shop', 1],
      ],
    );
    assert.deepEqual(seen[0], {
      into: 'Broker/default/orders',
      type: 'created',
      source: '/shop',
      dataschema: 'https://example.com/v2',
      count: 2,
      perMinute: 2,
      lastAt: 2_000,
      lastPosition: last.position,
    });
  });

  test('of topics that nobody follows does not count, and is forgotten when they are followed no longer', () => {
    const traffic = following('orders', 'tickets');
    traffic.entered([entry('orders', 'a'), entry('tickets', 'a'), entry('results/x', 'a')]);
    assert.equal(traffic.since(0, 0).length, 2);
    traffic.follow(new Map([['tickets', 'Broker/default/tickets']]));
    assert.deepEqual(
      traffic.since(0, 0).map(({ into }) => into),
      ['Broker/default/tickets'],
    );
  });

  test('can be asked for what is new', () => {
    const traffic = following('orders');
    traffic.entered([entry('orders', 'a')]);
    const { serial } = traffic;
    assert.deepEqual(traffic.since(serial, 5_000), []);
    // It came before, and has become durable only now.
    traffic.entered([entry('orders', 'b', { arrivedAt: 500 })]);
    assert.deepEqual(
      traffic.since(serial, 5_000).map(({ type }) => type),
      ['b'],
    );
  });

  test('is bounded, whatever senders call their events', () => {
    const traffic = following('orders');
    traffic.entered(Array.from({ length: 2_000 }, (_, index) => entry('orders', `type-${index}`)));
    traffic.entered(Array.from({ length: 2_000 }, (_, index) => entry('orders', 'type-1', { source: `/${index}` })));
    assert.equal(traffic.since(0, 0).length, 1_000 + 99);
  });
});

test('a rate is of the last minute', () => {
  const rate = new Rate();
  for (let second = 0; second < 60; second += 1) rate.add(second * 1_000);
  assert.equal(rate.perMinute(59_999), 60);
  assert.equal(rate.perMinute(60_000), 50);
  assert.equal(rate.perMinute(109_999), 10);
  assert.equal(rate.perMinute(10 * 60_000), 0);
  rate.add(10 * 60_000);
  assert.equal(rate.perMinute(10 * 60_000), 1);
});
