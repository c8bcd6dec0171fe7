import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { AuthorizationMode } from '@millrace/bus/plan/protection';
import { makeEvent } from '@millrace/event/event';
import type { Outlet } from '@millrace/event/source';

import { startBus } from '../support/bus.ts';
import type { TestBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { DEFAULT_BROKER, subject, testIssuer } from '../support/issuer.ts';
import { broker, trigger } from '../support/manifests.ts';
import { startSubscriber } from '../support/subscriber.ts';

const BROKER = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker' };

/** An EventPolicy in `default`. */
function policy(name: string, spec: object): string {
  return `---\n${JSON.stringify({ apiVersion: 'eventing.knative.dev/v1alpha1', kind: 'EventPolicy', metadata: { name }, spec })}\n`;
}

async function startSecured(manifests = broker(), mode?: AuthorizationMode) {
  const tokens = testIssuer();
  const bus = await startBus({ authentication: tokens.authentication, ...(mode !== undefined && { mode }) });
  await bus.apply(manifests);
  return {
    ...bus,
    tokens,
    /** Resolves with the status of an event that somebody sends. */
    async send(who: string | undefined, { path = '/default/default', type = 'a', audience = DEFAULT_BROKER } = {}) {
      const headers: Record<string, string> =
        who === undefined ? {} : { authorization: `Bearer ${await tokens.token(who, audience)}` };
      const response = await post(bus.url + path, { type, headers });
      await response.arrayBuffer();
      return response.status;
    },
  };
}

function condition({ bus }: Pick<TestBus, 'bus'>, key: string, type: string) {
  return bus.control
    .statuses()
    .get(key)!
    .conditions.find((it) => it.type === type)!;
}

describe('an address that asks who sends', () => {
  test('takes who is allowed, refuses who is not with 403, and who is not known with 401', async () => {
    await using it = await startSecured(broker() + policy('shop', { from: [{ sub: subject('shop') }] }));
    assert.deepEqual(
      [await it.send('shop'), await it.send('SHOP'), await it.send('other'), await it.send(undefined)],
      [202, 202, 403, 401],
    );
    assert.equal(await it.send('shop', { audience: 'another' }), 401);
    assert.equal(it.entries().length, 2, 'nothing of the others is in the log');
  });

  test('says with a 401 how it is to be asked, and not what the token was', async () => {
    await using it = await startSecured();
    const token = await it.tokens.token('shop', 'another');
    const response = await post(`${it.url}/default/default`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(response.headers.get('www-authenticate'), 'Bearer');
    const { detail } = (await response.json()) as { detail: string };
    assert.match(detail, /another audience; the audience here is eventing\.knative\.dev\/broker\/default\/default/);
    assert.ok(!detail.includes(token));
  });

  test('tells its audience, and the policies that are for it, by name', async () => {
    const to = [{ ref: { ...BROKER, name: 'default' } }];
    const others = [{ ref: { ...BROKER, name: 'orders' } }];
    await using it = await startSecured(
      broker() + policy('b', { to, from: [{ sub: '*' }] }) + policy('a', {}) + policy('c', { to: others }),
    );
    const status = it.bus.control.statuses().get('Broker/default/default')!;
    assert.equal(status.audience, DEFAULT_BROKER);
    assert.deepEqual(
      (status.details!['policies'] as { name: string }[]).map(({ name }) => name),
      ['a', 'b'],
    );
    assert.equal(condition(it, 'Broker/default/default', 'EventPoliciesReady').status, 'True');
  });

  test('takes what the filters of a policy let pass, and any policy that does is enough', async () => {
    const from = [{ sub: subject('shop') }];
    await using it = await startSecured(
      broker() +
        policy('a', { from, filters: [{ prefix: { type: 'order.' } }] }) +
        policy('b', { from, filters: [{ exact: { type: 'note' } }, { not: { exact: { source: '/evil' } } }] }),
    );
    assert.deepEqual(
      [await it.send('shop', { type: 'order.new' }), await it.send('shop', { type: 'note' })],
      [202, 202],
    );
    assert.equal(await it.send('shop', { type: 'other' }), 403);
  });

  test('takes all events of a batch, or none', async () => {
    await using it = await startSecured(
      broker() + policy('a', { from: [{ sub: '*' }], filters: [{ exact: { type: 'a' } }] }),
    );
    const batch = (...types: string[]) =>
      types.map((type, index) => ({ specversion: '1.0', id: String(index), source: '/s', type }));
    const authorization = `Bearer ${await it.tokens.token('shop')}`;
    for (const [types, status] of [
      [['a', 'a'], 202],
      [['a', 'b'], 403],
    ] as const) {
      const headers = { 'content-type': 'application/cloudevents-batch+json', authorization };
      const body = JSON.stringify(batch(...types));
      assert.equal((await fetch(`${it.url}/default/default`, { method: 'POST', headers, body })).status, status);
    }
    assert.equal(it.entries().length, 2);
  });

  for (const [mode, same, other] of [
    ['allow-same-namespace', 202, 403],
    ['allow-all', 202, 202],
    ['deny-all', 403, 403],
  ] as const) {
    test(`without a policy does as the default mode ${mode} says`, async () => {
      await using it = await startSecured(broker(), mode);
      const [neighbour, like] = ['system:serviceaccount:other:shop', 'system:serviceaccount:defaulted:shop'];
      assert.deepEqual([await it.send('shop'), await it.send(neighbour), await it.send(like)], [same, other, other]);
      assert.equal(await it.send(undefined), 401);
    });
  }

  test('is unready as long as one of its policies is, and takes from nobody whom that does not name', async () => {
    const nobody = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', name: 'none' };
    await using it = await startSecured(broker() + policy('a', { from: [{ ref: nobody }] }), 'allow-all');
    const { status, reason, message } = condition(it, 'Broker/default/default', 'EventPoliciesReady');
    assert.deepEqual([status, reason], ['False', 'EventPoliciesNotReady']);
    assert.match(message!, /event policies a are not ready/);
    assert.equal(condition(it, 'Broker/default/default', 'Ready').status, 'False');
    assert.match(condition(it, 'EventPolicy/default/a', 'SubjectsResolved').message!, /Trigger default\/none/);
    assert.equal(await it.send('shop'), 403);
    await it.apply(broker());
    assert.equal(condition(it, 'Broker/default/default', 'Ready').status, 'True');
    assert.equal(await it.send('shop'), 202);
  });

  test('is found by selectors of labels, and by kinds in any letters', async () => {
    const labelled = `---\n${JSON.stringify({ ...BROKER, metadata: { name: 'blue', labels: { team: 'blue' } } })}\n`;
    const selector = { apiVersion: 'eventing.knative.dev/v9', kind: 'broker', matchLabels: { team: 'blue' } };
    await using it = await startSecured(broker() + labelled + policy('a', { to: [{ selector }] }));
    const blue = { path: '/default/blue', audience: DEFAULT_BROKER.replace(/default$/, 'blue') };
    assert.deepEqual([await it.send('shop', blue), await it.send('shop')], [403, 202]);
  });

  test('is each that takes events: channels, flows, transforms and those that wait for replies', async () => {
    const named = (apiVersion: string, kind: string, spec: object) =>
      `---\n${JSON.stringify({ apiVersion, kind, metadata: { name: 'it' }, spec })}\n`;
    await using it = await startSecured(
      broker() +
        named('messaging.knative.dev/v1', 'InMemoryChannel', {}) +
        named('flows.knative.dev/v1', 'Sequence', { steps: [{ uri: 'http://127.0.0.1:1/' }] }) +
        named('eventing.knative.dev/v1alpha1', 'EventTransform', { jsonata: { expression: '$' } }) +
        named('eventing.knative.dev/v1alpha1', 'RequestReply', { brokerRef: { ...BROKER, name: 'default' } }),
    );
    for (const [path, audience, status] of [
      ['/channels/default/it', 'messaging.knative.dev/inmemorychannel/default/it', 202],
      ['/flows/sequence/default/it', 'flows.knative.dev/sequence/default/it', 202],
      ['/transforms/default/it', 'eventing.knative.dev/eventtransform/default/it', 200],
    ] as const) {
      assert.equal(await it.send(undefined, { path }), 401, path);
      assert.equal(await it.send('system:serviceaccount:other:a', { path, audience }), 403, path);
      assert.equal(await it.send('shop', { path, audience }), status, path);
    }
    for (const path of ['/request-replies/default/it', '/request-replies/default/it/reply']) {
      assert.equal(await it.send(undefined, { path }), 401, path);
    }
  });

  test('is not entered by a host name, a doubled header or an option beside the check', async () => {
    await using it = await startSecured();
    const token = await it.tokens.token('shop');
    const event = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'a' };
    const several = new Headers([...Object.entries(event), ['authorization', `Bearer ${token}`]]);
    several.append('authorization', 'Bearer other');
    assert.equal((await fetch(`${it.url}/default/default`, { method: 'POST', headers: several })).status, 401);
    const broad = { ...event, host: 'broker-ingress.knative-eventing.svc.cluster.local' };
    assert.equal((await fetch(`${it.url}/default/default/`, { method: 'POST', headers: broad })).status, 401);
    assert.equal((await fetch(`${it.url}/default/default`, { method: 'OPTIONS' })).status, 200);
    assert.equal(it.entries().length, 0);
  });

  test('shows what became of an event to who could send it, and to nobody else', async () => {
    await using it = await startSecured();
    const authorization = `Bearer ${await it.tokens.token('shop')}`;
    const sent = await post(`${it.url}/default/default`, { id: 'run-1', headers: { authorization, prefer: 'wait=0' } });
    assert.equal(sent.status, 202);
    const seen = (headers: Record<string, string>) => fetch(`${it.url}/runs/run-1`, { headers });
    assert.equal((await seen({})).status, 401);
    const other = await it.tokens.token('system:serviceaccount:other:shop');
    assert.equal((await seen({ authorization: `Bearer ${other}` })).status, 403);
    assert.equal((await seen({ authorization })).status, 200);
  });
});

describe('what sends from here', () => {
  const SENDER = 'system:serviceaccount:default:agent-oidc-eventing.knative.dev-trigger';
  const asking = (name: string, url: string, audience: string) =>
    trigger(name, url).replace('"subscriber":{', `"subscriber":{"audience":"${audience}",`);

  test('has a name of its own, and a token of it for who asks for one', async () => {
    await using subscriber = await startSubscriber();
    await using it = await startSecured(
      broker() + asking('agent', `${subscriber.url}with`, 'theirs') + trigger('plain', `${subscriber.url}without`),
    );
    assert.equal(await it.send('shop'), 202);
    const received = await subscriber.count(2);
    const [withOne, without] = ['/with', '/without'].map((path) => received.find((one) => one.path === path)!.headers);
    assert.equal(without!.authorization, undefined);
    const [scheme, token = ''] = withOne!.authorization!.split(' ');
    assert.equal(scheme, 'Bearer');
    assert.deepEqual(await it.tokens.authentication.verify(token, 'theirs'), { outcome: 'verified', subject: SENDER });
    assert.deepEqual(it.bus.control.statuses().get('Trigger/default/agent')!.details!['auth'], {
      serviceAccountName: 'agent-oidc-eventing.knative.dev-trigger',
    });
    await it.settled();
    assert.ok(!JSON.stringify(it.entries()).includes(token), 'no token is in the log');
  });

  test('is judged by the policies of a broker that it replies to; what may not enter is a dead letter', async () => {
    await using subscriber = await startSubscriber(() => ({
      headers: { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/agent', 'ce-type': 'reply' },
    }));
    const filtered = { filters: [{ exact: { type: 'a' } }] };
    const shop = policy('shop', { from: [{ sub: subject('shop') }] });
    await using it = await startSecured(broker() + trigger('agent', subscriber.url, filtered) + shop);
    assert.equal(await it.send('shop'), 202);
    const [letter] = await it.deadLetters(1);
    assert.match(
      letter!.failure.message,
      /the reply was not taken: .*agent-oidc-.* may not send this to the Broker default\/default/,
    );

    // Named in a policy, it may.
    const ref = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', name: 'agent' };
    await it.apply(broker() + trigger('agent', subscriber.url, filtered) + shop + policy('agent', { from: [{ ref }] }));
    assert.deepEqual(it.bus.control.statuses().get('EventPolicy/default/agent')!.details!['from'], [SENDER]);
    assert.equal(await it.send('shop'), 202);
    await it.settled();
    assert.deepEqual(
      it.entries().map((entry) => entry.event.type),
      ['a', 'a', 'reply'],
    );
  });
});

test('a flow may enter its own steps, whoever may enter the flow; what comes out is judged where it goes', async () => {
  await using step = await startSubscriber(({ event }) => ({
    headers: { 'ce-specversion': '1.0', 'ce-id': 's', 'ce-source': '/step', 'ce-type': `${event!.type}+` },
  }));
  const [to, from] = [
    [{ ref: { apiVersion: 'flows.knative.dev/v1', kind: 'Sequence', name: 'two' } }],
    [{ sub: subject('shop') }],
  ];
  const steps = [{ uri: `${step.url}1` }, { uri: `${step.url}2` }];
  const reply = { ref: { ...BROKER, name: 'default' } };
  const sequence = {
    apiVersion: 'flows.knative.dev/v1',
    kind: 'Sequence',
    metadata: { name: 'two' },
    spec: { steps, reply },
  };
  await using it = await startSecured(
    `${broker()}---\n${JSON.stringify(sequence)}\n${policy('in', { to, from })}` +
      policy('out', {
        to: [{ ref: { ...BROKER, name: 'default' } }],
        from: [{ sub: '*' }],
        filters: [{ exact: { type: 'a++' } }],
      }),
  );
  const flow = { path: '/flows/sequence/default/two', audience: 'flows.knative.dev/sequence/default/two' };
  assert.equal(await it.send('other', flow), 403);
  assert.equal(await it.send('shop', { ...flow, type: 'b' }), 202);
  assert.equal(await it.send('shop', flow), 202);
  const [letter] = await it.deadLetters(1);
  await it.settled();
  assert.match(letter!.failure.message, /two-oidc-flows\.knative\.dev-sequence may not send this to the Broker/);
  assert.deepEqual(
    it
      .entries()
      .filter((entry) => entry.topic === 'broker/default/default')
      .map((entry) => entry.event.type),
    ['a++'],
  );
});

test('what a source brings and may not is a dead letter of the source, and the rest goes on', async () => {
  const outlets: Outlet[] = [];
  const tokens = testIssuer();
  await using bus = await startBus({
    authentication: tokens.authentication,
    sources: (_feed, outlet) => {
      outlets.push(outlet);
      return { drain: async () => {} };
    },
  });
  const sink = { ref: { ...BROKER, name: 'default' } };
  const hook = { apiVersion: 'sources.millrace.dev/v1alpha1', kind: 'WebhookSource', metadata: { name: 'hook' } };
  const ref = { apiVersion: hook.apiVersion, kind: hook.kind, name: 'hook' };
  await bus.apply(
    `${broker()}---\n${JSON.stringify({ ...hook, spec: { path: '/hook', sink } })}\n` +
      policy('a', { from: [{ ref }], filters: [{ exact: { type: 'a' } }] }),
  );
  const event = (type: string) => makeEvent({ specversion: '1.0', id: type, source: '/s', type }, undefined);
  await outlets[0]!.emit([event('a'), event('b')]);
  const [letter, ...others] = await bus.deadLetters(1);
  assert.deepEqual([letter!.entry.event.type, others.length], ['b', 0]);
  assert.match(letter!.failure.message, /hook-oidc-.*-webhooksource may not send this to the Broker default\/default/);
  assert.deepEqual(
    bus
      .entries()
      .filter((entry) => entry.topic === 'broker/default/default')
      .map((entry) => entry.event.type),
    ['a'],
  );
});

test('where nobody is asked who he is, policies do not hold, and it is told', async () => {
  await using bus = await startBus();
  await bus.apply(broker() + policy('a', {}));
  assert.equal((await post(`${bus.url}/default/default`, {})).status, 202);
  assert.deepEqual(
    [
      condition(bus, 'EventPolicy/default/a', 'AuthenticationEnabled').status,
      condition(bus, 'Broker/default/default', 'Ready').status,
    ],
    ['False', 'False'],
  );
  assert.equal(bus.bus.control.statuses().get('Broker/default/default')!.audience, undefined);
});

test('the documents of the issuer are shown to everybody, and verify its tokens', async () => {
  await using it = await startSecured();
  const configuration = (await (await fetch(`${it.url}/.well-known/openid-configuration`)).json()) as object;
  assert.deepEqual(Object.keys(configuration).slice(0, 2), ['issuer', 'jwks_uri']);
  const { keys } = (await (await fetch(`${it.url}/openid/v1/jwks`)).json()) as { keys: Record<string, string>[] };
  assert.deepEqual(Object.keys(keys[0]!).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'], 'nothing private');
  assert.equal((await fetch(`${it.url}/openid/v1/jwks`, { method: 'POST' })).status, 405);
});
