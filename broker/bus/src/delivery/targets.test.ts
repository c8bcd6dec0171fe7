import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';
import { HandlerFailure, NO_HEADERS } from '@millrace/event/handler';
import type { Handler, HandlerContext } from '@millrace/event/handler';

import { startSubscriber } from '../../../../test/support/subscriber.ts';
import type { Route, Target } from '../plan/plan.ts';
import type { Addressed } from './attempt.ts';
import { TargetFactory } from './targets.ts';
import type { TargetsOptions } from './targets.ts';
import type { WebCallee } from './callee.ts';
import { PLAIN_DELIVERY } from '../plan/testing.ts';

const EVENT = makeEvent({ specversion: '1.0', id: '1', source: '/s', type: 't' }, undefined);
const CONTEXT: HandlerContext = { signal: new AbortController().signal, headers: NO_HEADERS, attempt: 1 };

const notHere = (): never => assert.fail('not in this test');

/** A factory that closes its connections at the end of its test. */
function startFactory(options: Partial<TargetsOptions> = {}) {
  const factory = new TargetFactory({
    functionOf: () => undefined,
    transformOf: () => undefined,
    flows: { join: notHere, map: notHere },
    answerWaiter: () => false,
    mismatchOf: () => undefined,
    aliases: {},
    maxAnswerBytes: 1_000,
    now: () => 0,
    ...options,
  });
  return { factory, [Symbol.asyncDispose]: () => factory.close() };
}

const aCallee = (handler: Handler): WebCallee => ({
  handler,
  request: () => Promise.reject(new Error('not in this test')),
  room: () => Infinity,
  onRoom: () => () => {},
  warm() {},
});

function routeTo(target: Target, deadLetter?: Target): Route {
  return {
    name: 'trigger/shop/orders',
    key: 'Trigger/shop/orders',
    sinkCondition: 'SubscriberResolved',
    namespace: 'shop',
    topic: 'broker/shop/default',
    filter: {},
    target,
    replyTopic: undefined,
    deadLetter,
    delivery: PLAIN_DELIVERY,
    manner: 'broker',
  };
}

function handlerOf(addressed: Addressed | undefined): Handler {
  assert.ok(addressed !== undefined && 'handler' in addressed);
  return addressed.handler;
}

describe('a URL as a target', () => {
  test('gets the event at its path and query, and is named as it was declared', async () => {
    await using subscriber = await startSubscriber();
    await using at = startFactory();
    const url = `${subscriber.url}in?x=1`;
    const target = at.factory.of(routeTo({ kind: 'url', url })).subscriber;
    assert.equal(target.address, url);
    assert.equal((await handlerOf(target)(EVENT, CONTEXT)).status, 202);
    assert.equal(subscriber.received[0]!.path, '/in?x=1');
  });

  test('is asked for a reply as a subscriber, and told of the namespace as either', async () => {
    await using subscriber = await startSubscriber();
    await using at = startFactory();
    const url: Target = { kind: 'url', url: subscriber.url };
    const targets = at.factory.of(routeTo(url, url));
    await handlerOf(targets.subscriber)(EVENT, CONTEXT);
    await handlerOf(targets.deadLetterSink)(EVENT, CONTEXT);
    const seen = subscriber.received.map(({ headers }) => [headers['prefer'], headers['kn-namespace']]);
    assert.deepEqual(seen, [
      ['reply', 'shop'],
      [undefined, 'shop'],
    ]);
  });

  test('fails as a subscriber, and not as a dead letter sink, when it answers with what is no event', async () => {
    await using subscriber = await startSubscriber(() => ({ status: 200, body: 'thanks' }));
    await using at = startFactory();
    const url: Target = { kind: 'url', url: subscriber.url };
    const targets = at.factory.of(routeTo(url, url));
    await assert.rejects(handlerOf(targets.subscriber)(EVENT, CONTEXT), { name: 'HandlerFailure', status: 502 });
    assert.equal((await handlerOf(targets.deadLetterSink)(EVENT, CONTEXT)).status, 200);
  });

  test('is sent to where its alias says, and keeps its path and its name', async () => {
    await using subscriber = await startSubscriber();
    const host = new URL(subscriber.url).host;
    for (const [url, alias] of [
      ['http://agent.shop.svc.cluster.local/in', 'agent.shop.svc.cluster.local:80'],
      ['http://agent.shop.svc.cluster.local:8080/in', 'agent.shop.svc.cluster.local:8080'],
    ] as const) {
      await using at = startFactory({ aliases: { [alias]: host } });
      const target = at.factory.of(routeTo({ kind: 'url', url })).subscriber;
      assert.equal(target.address, url);
      await handlerOf(target)(EVENT, CONTEXT);
      assert.equal(subscriber.received.at(-1)!.path, '/in');
      assert.equal(subscriber.received.at(-1)!.headers.host, host);
    }
    assert.equal(subscriber.received.length, 2);
  });

  test('on another port than an alias is not sent there', async () => {
    await using subscriber = await startSubscriber();
    await using elsewhere = await startSubscriber();
    await using at = startFactory({ aliases: { '127.0.0.1:80': new URL(elsewhere.url).host } });
    await handlerOf(at.factory.of(routeTo({ kind: 'url', url: subscriber.url })).subscriber)(EVENT, CONTEXT);
    assert.equal(subscriber.received.length, 1);
    assert.equal(elsewhere.received.length, 0);
  });
});

describe('a function as a target', () => {
  const route = routeTo({ kind: 'function', workload: 'shop/agent' });

  test('has the address under which a cluster knows it', async () => {
    await using at = startFactory();
    assert.equal(at.factory.of(route).subscriber.address, 'http://agent.shop.svc.cluster.local');
  });

  test('that does not run is a failure with 503, so that it is tried again', async () => {
    await using at = startFactory();
    await assert.rejects(handlerOf(at.factory.of(route).subscriber)(EVENT, CONTEXT), (error) => {
      assert.ok(error instanceof HandlerFailure);
      assert.equal(error.status, 503);
      assert.match(error.message, /shop\/agent/);
      return true;
    });
  });

  test('is looked for at every call', async () => {
    let running: WebCallee | undefined;
    await using at = startFactory({ functionOf: () => running });
    const handler = handlerOf(at.factory.of(route).subscriber);
    await assert.rejects(handler(EVENT, CONTEXT), { status: 503 });
    running = aCallee(async (event, context) => {
      assert.equal(event, EVENT);
      assert.equal(context, CONTEXT);
      return { status: 204 };
    });
    assert.deepEqual(await handler(EVENT, CONTEXT), { status: 204 });
  });
});

test('a topic as a target is its name, for the gate', async () => {
  await using at = startFactory();
  const topic: Target = { kind: 'topic', topic: 'broker/shop/other' };
  assert.deepEqual(at.factory.of(routeTo(topic, topic)), {
    subscriber: { address: 'broker/shop/other', topic: 'broker/shop/other' },
    deadLetterSink: { address: 'broker/shop/other', topic: 'broker/shop/other' },
  });
});

test('a route without a dead letter sink has none', async () => {
  await using at = startFactory();
  assert.equal(at.factory.of(routeTo({ kind: 'topic', topic: 't' })).deadLetterSink, undefined);
});
