import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { startBus } from '../../../../test/support/bus.ts';
import type { TestBus } from '../../../../test/support/bus.ts';
import { post } from '../../../../test/support/events.ts';
import { startSubscriber } from '../../../../test/support/subscriber.ts';
import type { Subscriber } from '../../../../test/support/subscriber.ts';
import { flow, openFlowAdmin } from './flows.fixture.ts';
import type { FlowAdmin } from './flows.fixture.ts';
import type { RouteWhy, WhyView } from './why.ts';

describe('why', () => {
  let bus: TestBus;
  let admin: FlowAdmin;
  let subscriber: Subscriber;
  const trigger = (name: string, spec: object) =>
    flow.trigger(name, { subscriber: { uri: subscriber.url + name }, ...spec });
  const why = async (key: string): Promise<Record<string, RouteWhy>> => {
    const { body } = await admin.get(`/api/why/${key}`);
    return Object.fromEntries((body as WhyView).routes.map((it) => [it.route.split('/').at(-1)!, it]));
  };
  before(async () => {
    subscriber = await startSubscriber(({ path }) => ({ status: path.endsWith('refuses') ? 422 : 202 }));
    bus = await startBus();
    admin = await openFlowAdmin(bus);
    const manifests =
      trigger('takes', { filter: { attributes: { type: 'order' } } }) +
      trigger('refuses', { filter: { attributes: { type: 'order' } } });
    await bus.apply(
      manifests +
        trigger('large', { filters: [{ exact: { type: 'order' } }, { cesql: 'amount > 100 AND NOT EXISTS test' }] }) +
        trigger('never', { filters: [{ cesql: '1 = 2' }] }) +
        trigger('gone', {}),
    );
    await post(`${bus.url}/default/default`, { id: 'first', type: 'order', extensions: { amount: '5' } });
    await bus.deadLetters(1);
    await bus.settled();
    await bus.apply(manifests + trigger('young', {}));
  });
  after(async () => {
    await admin[Symbol.asyncDispose]();
    await bus[Symbol.asyncDispose]();
    await subscriber[Symbol.asyncDispose]();
  });

  test('tells of each route what became of the event, and why it died', async () => {
    const routes = await why('first');
    assert.deepEqual(Object.fromEntries(Object.entries(routes).map(([name, it]) => [name, [it.state, it.failure]])), {
      takes: ['delivered', undefined],
      refuses: ['dead', 'answered 422'],
      young: ['passed', undefined],
      gone: ['delivered', undefined],
    });
    assert.equal(routes['gone']!.explanation, undefined);
  });

  test('gives each node of a filter, and what would have to differ', async () => {
    await bus.apply(
      trigger('large', { filters: [{ exact: { type: 'order' } }, { cesql: 'amount > 100 AND NOT EXISTS test' }] }) +
        trigger('never', { filters: [{ cesql: '1 = 2' }] }),
    );
    const { large, never } = await why('1');
    assert.equal(large!.state, 'none');
    assert.deepEqual(
      large!.needs!.map((it) => it.message),
      ['amount > 100 must be true (false; amount is "5")'],
    );
    const [exact, cesql] = large!.explanation!.children;
    assert.deepEqual([exact!.matched, exact!.message], [true, 'type is "order"']);
    assert.deepEqual(
      cesql!.children.map((it) => [it.part!.expression, it.matched]),
      [
        ['amount > 100', false],
        ['NOT EXISTS test', true],
      ],
    );
    assert.equal(never!.needs, null);
  });

  test('refuses what is not there', async () => {
    assert.equal((await admin.get('/api/why/nothing')).status, 404);
    const { status, body } = await admin.get('/api/why/1?route=trigger/default/nobody');
    assert.equal(status, 404);
    assert.match(
      (body as { error: string }).error,
      /^event 1 is in broker\/default\/default, and "trigger\/default\/nobody" takes nothing/,
    );
  });
});
