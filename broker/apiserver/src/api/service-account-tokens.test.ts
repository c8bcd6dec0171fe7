import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { START, startApi } from './testing.ts';
import type { TestApi } from './testing.ts';

const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts';

describe('a token of a ServiceAccount', () => {
  let api: TestApi;
  const asked: Parameters<NonNullable<Parameters<typeof startApi>[1]>['issue']>[0][] = [];
  before(async () => {
    api = await startApi(undefined, {
      async issue(request) {
        asked.push(request);
        return { token: 'header.body.signature', expiresAt: START + request.lifetimeSeconds * 1_000 };
      },
      audience: () => 'http://issuer.test',
    });
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'shop' } };
    assert.equal((await api.ask('POST', ACCOUNTS, account)).status, 201);
  });
  after(() => api[Symbol.asyncDispose]());

  test('is made for an hour and for the issuer itself, unless something else is asked for', async () => {
    const { status, body } = await api.ask('POST', `${ACCOUNTS}/shop/token`, {});
    assert.equal(status, 201);
    assert.deepEqual([body.kind, body.apiVersion], ['TokenRequest', 'authentication.k8s.io/v1']);
    assert.deepEqual(body.spec, { audiences: ['http://issuer.test'], expirationSeconds: 3_600, boundObjectRef: null });
    assert.deepEqual(body.status, { token: 'header.body.signature', expirationTimestamp: '2026-01-02T04:04:05Z' });
    const { subject, claims } = asked.at(-1)!;
    assert.equal(subject, 'system:serviceaccount:default:shop');
    const { namespace, serviceaccount } = claims['kubernetes.io'] as Record<string, { name: string; uid: string }>;
    assert.deepEqual([namespace, serviceaccount!.name, typeof serviceaccount!.uid], ['default', 'shop', 'string']);
  });

  test('is made for the audiences and the time that are asked for', async () => {
    const spec = { audiences: ['a', 'b'], expirationSeconds: 600 };
    const { body } = await api.ask('POST', `${ACCOUNTS}/shop/token`, { spec });
    assert.deepEqual([body.spec.audiences, body.spec.expirationSeconds], [['a', 'b'], 600]);
    assert.deepEqual([asked.at(-1)!.audiences, asked.at(-1)!.lifetimeSeconds], [['a', 'b'], 600]);
  });

  test('is to be had of the ServiceAccount default in every namespace that there is', async () => {
    assert.equal((await api.ask('POST', `${ACCOUNTS.replace('default', 'shop')}/default/token`, {})).status, 201);
    assert.equal((await api.ask('POST', `${ACCOUNTS.replace('default', 'none')}/default/token`, {})).status, 404);
  });

  const refused: readonly [method: string, path: string, body: unknown, status: number, message: RegExp][] = [
    ['POST', `${ACCOUNTS}/none/token`, {}, 404, /^serviceaccounts "none" not found$/],
    ['GET', `${ACCOUNTS}/shop/token`, undefined, 405, /does not allow this method/],
    ['POST', '/api/v1/namespaces/default/configmaps/shop/token', {}, 404, /could not find the requested resource/],
    ['POST', `${ACCOUNTS}/shop/token`, { spec: { expirationSeconds: 599 } }, 422, /less than 10 minutes/],
    ['POST', `${ACCOUNTS}/shop/token`, { spec: { expirationSeconds: 'long' } }, 422, /spec\.expirationSeconds/],
    ['POST', `${ACCOUNTS}/shop/token`, { spec: { expirationSeconds: 2 ** 33 } }, 422, /larger than 2\^32/],
    ['POST', `${ACCOUNTS}/shop/token`, { spec: { audiences: 'all' } }, 422, /spec\.audiences.*list of texts/],
    ['POST', `${ACCOUNTS}/shop/token`, { spec: { audiences: [''] } }, 422, /spec\.audiences/],
    ['POST', `${ACCOUNTS}/shop/token`, { spec: { boundObjectRef: { kind: 'Pod' } } }, 422, /spec\.boundObjectRef/],
  ];
  for (const [method, path, body, status, message] of refused) {
    test(`is not made by ${method} ${path} of ${JSON.stringify(body)}`, async () => {
      const before = asked.length;
      const answer = await api.ask(method, path, body);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.match(answer.body.message, message);
      assert.equal(asked.length, before);
    });
  }
});

test('where no tokens are made, that is said', async () => {
  await using api = await startApi();
  const { status, body } = await api.ask('POST', `${ACCOUNTS}/default/token`, {});
  assert.equal(status, 404);
  assert.match(body.message, /--authentication-oidc/);
});

test('who may only look gets none', async () => {
  await using api = await startApi(() => ({ name: 'reader', groups: [], may: 'read' }));
  const { status, body } = await api.ask('POST', `${ACCOUNTS}/default/token`, {});
  assert.equal(status, 403);
  assert.match(body.message, /cannot create resource "serviceaccounts\/token"/);
});
