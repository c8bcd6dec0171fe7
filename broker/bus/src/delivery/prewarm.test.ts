import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { TriggerFilter } from '../filter/trigger-filter.ts';
import type { Entry } from '../log/log.ts';
import { PLAIN_DELIVERY } from '../plan/testing.ts';
import type { Route } from '../plan/plan.ts';
import { Prewarm } from './prewarm.ts';

function aRoute(name: string, topic: string, replyTopic?: string, filter: TriggerFilter = {}): Route {
  return {
    name,
    key: `Trigger/default/${name}`,
    sinkCondition: 'SubscriberResolved',
    namespace: 'default',
    topic,
    filter,
    target: { kind: 'function', workload: `default/${name}` },
    replyTopic,
    deadLetter: undefined,
    delivery: PLAIN_DELIVERY,
    manner: 'broker',
  };
}

/** Routes to functions which write down when they are told to get ready. */
function prewarmOf(...routes: Route[]) {
  const prewarm = new Prewarm();
  const warmed: string[] = [];
  for (const route of routes) {
    const callee = {
      handler: async () => ({ status: 204 }),
      room: () => Infinity,
      onRoom: () => () => {},
      warm: () => void warmed.push(route.name),
    };
    prewarm.add(route, () => callee);
  }
  return { prewarm, warmed: () => warmed.splice(0) };
}

const replyOf = (route: string) => ({ cause: { position: 1, route } }) as Entry;

describe('functions that come after a route get ready', () => {
  const first = aRoute('first', 'in', 'between');
  const wanted = { filter: { attributes: { type: 'a' } } };

  test('when the topic of its replies has routes without a filter', () => {
    const { prewarm, warmed } = prewarmOf(first, aRoute('second', 'between'), aRoute('other', 'elsewhere'));
    prewarm.began(first);
    assert.deepEqual(warmed(), ['second']);
  });

  test('when a route with a filter took its replies before', () => {
    const second = aRoute('second', 'between', undefined, wanted);
    const { prewarm, warmed } = prewarmOf(first, second, aRoute('never', 'between', undefined, wanted));
    prewarm.began(first);
    assert.deepEqual(warmed(), []);
    prewarm.took(replyOf('first'), second);
    prewarm.began(first);
    assert.deepEqual(warmed(), ['second']);
  });

  test('but not by itself, where its replies come back to its own topic', () => {
    const loop = aRoute('loop', 'in', 'in');
    const { prewarm, warmed } = prewarmOf(loop);
    prewarm.took(replyOf('loop'), loop);
    prewarm.began(loop);
    assert.deepEqual(warmed(), []);
  });

  test('four of them at most, those that took replies last', () => {
    const many = Array.from({ length: 6 }, (_, index) => aRoute(`next-${index}`, 'between', undefined, wanted));
    const { prewarm, warmed } = prewarmOf(first, ...many);
    for (const route of many) prewarm.took(replyOf('first'), route);
    prewarm.began(first);
    assert.deepEqual(warmed(), ['next-2', 'next-3', 'next-4', 'next-5']);
  });

  test('and no more once they are gone', () => {
    const second = aRoute('second', 'between');
    const { prewarm, warmed } = prewarmOf(first, second);
    prewarm.remove(second);
    prewarm.began(first);
    assert.deepEqual(warmed(), []);
  });
});
