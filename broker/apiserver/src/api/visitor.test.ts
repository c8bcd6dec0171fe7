import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { startApi, trigger, TRIGGERS } from './testing.ts';
import type { TestApi } from './testing.ts';
import type { Visitor } from './visitor.ts';

const VISITORS: Readonly<Record<string, Visitor>> = {
  reader: { name: 'some:reader', groups: ['readers'], may: 'read' },
  admin: { name: 'some:admin', groups: ['system:masters'], may: 'all' },
};

const SECRETS = '/api/v1/namespaces/default/secrets';
const REVIEW = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

describe('an API with visitors', () => {
  let api: TestApi;
  before(async () => {
    api = await startApi(({ headers }) => VISITORS[String(headers['x-as'])]);
    await asked('admin', 'POST', TRIGGERS, trigger('there', { spec: {} }));
    await asked('admin', 'POST', SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' } });
  });
  after(() => api[Symbol.asyncDispose]());

  const asked = (as: string, method: string, path: string, body?: unknown) =>
    api.ask(method, path, body, { 'x-as': as });

  for (const path of [TRIGGERS, '/apis', '/version', '/openapi/v3', '/api/v1/nothing']) {
    test(`refuses who is nobody, at ${path}, as Kubernetes does`, async () => {
      const { status, headers, body } = await asked('nobody', 'GET', path);
      assert.equal(status, 401);
      assert.equal(headers.get('www-authenticate'), 'Bearer');
      assert.deepEqual(
        [body.kind, body.reason, body.message, body.code],
        ['Status', 'Unauthorized', 'Unauthorized', 401],
      );
    });
  }

  const reading = [
    TRIGGERS,
    `${TRIGGERS}/there`,
    '/apis',
    '/version',
    '/api/v1/configmaps',
    '/openapi/v3',
    '/apis/eventing.knative.dev/v1',
  ];
  for (const path of reading) {
    test(`shows ${path} to who may read`, async () => assert.equal((await asked('reader', 'GET', path)).status, 200));
  }

  const refused: readonly [method: string, path: string, message: string][] = [
    [
      'POST',
      TRIGGERS,
      'triggers.eventing.knative.dev is forbidden: User "some:reader" cannot create resource "triggers" in API group "eventing.knative.dev" in the namespace "default"',
    ],
    [
      'DELETE',
      `${TRIGGERS}/there`,
      'triggers.eventing.knative.dev "there" is forbidden: User "some:reader" cannot delete resource "triggers" in API group "eventing.knative.dev" in the namespace "default"',
    ],
    [
      'DELETE',
      TRIGGERS,
      'triggers.eventing.knative.dev is forbidden: User "some:reader" cannot deletecollection resource "triggers" in API group "eventing.knative.dev" in the namespace "default"',
    ],
    [
      'PATCH',
      `${TRIGGERS}/there/status`,
      'triggers.eventing.knative.dev "there" is forbidden: User "some:reader" cannot patch resource "triggers/status" in API group "eventing.knative.dev" in the namespace "default"',
    ],
    [
      'PUT',
      `${TRIGGERS}/there`,
      'triggers.eventing.knative.dev "there" is forbidden: User "some:reader" cannot update resource "triggers" in API group "eventing.knative.dev" in the namespace "default"',
    ],
    [
      'GET',
      SECRETS,
      'secrets is forbidden: User "some:reader" cannot list resource "secrets" in API group "" in the namespace "default"',
    ],
    [
      'GET',
      `${SECRETS}/key`,
      'secrets "key" is forbidden: User "some:reader" cannot get resource "secrets" in API group "" in the namespace "default"',
    ],
    [
      'GET',
      '/api/v1/secrets?watch=true',
      'secrets is forbidden: User "some:reader" cannot watch resource "secrets" in API group "" at the cluster scope',
    ],
    ['POST', '/version', 'forbidden: User "some:reader" cannot post path "/version"'],
  ];
  for (const [method, path, message] of refused) {
    test(`does not let who may read ${method} ${path}`, async () => {
      const { status, body } = await asked('reader', method, path, method === 'GET' ? undefined : {});
      assert.equal(status, 403);
      assert.deepEqual([body.kind, body.reason, body.message, body.code], ['Status', 'Forbidden', message, 403]);
      assert.equal((await asked('admin', 'GET', `${TRIGGERS}/there`)).status, 200, 'it is as it was');
    });
  }

  const allowed: readonly [as: string, attributes: object, is: boolean][] = [
    ['admin', { verb: 'delete', group: '', resource: 'secrets' }, true],
    ['reader', { verb: 'watch', group: 'eventing.knative.dev', resource: 'triggers' }, true],
    ['reader', { verb: 'list', group: '', resource: 'secrets' }, false],
    ['reader', { verb: 'create', group: 'eventing.knative.dev', resource: 'triggers' }, false],
    ['reader', { verb: 'create', group: 'authorization.k8s.io', resource: 'selfsubjectaccessreviews' }, true],
    ['reader', { verb: '*', group: '*', resource: '*' }, false],
    ['reader', {}, false],
  ];
  for (const [as, resourceAttributes, is] of allowed) {
    test(`tells the ${as} whether he may ${JSON.stringify(resourceAttributes)}`, async () => {
      const { status, body } = await asked(as, 'POST', REVIEW, { spec: { resourceAttributes } });
      assert.deepEqual([status, body.status.allowed], [201, is]);
    });
  }

  test('tells whether a path may be asked for', async () => {
    for (const [verb, is] of [
      ['get', true],
      ['post', false],
    ] as const) {
      const { body } = await asked('reader', 'POST', REVIEW, { spec: { nonResourceAttributes: { path: '/', verb } } });
      assert.equal(body.status.allowed, is);
    }
  });

  test('tells each who he is, and what he may', async () => {
    for (const [as, { name, groups }] of Object.entries(VISITORS)) {
      const who = await asked(as, 'POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {});
      assert.deepEqual(who.body.status.userInfo, { username: name, groups });
    }
    const rules = await asked('reader', 'POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', { spec: {} });
    const { resourceRules } = rules.body.status as { resourceRules: { apiGroups: string[]; resources: string[] }[] };
    const core = resourceRules.find(({ apiGroups }) => apiGroups[0] === '')!;
    assert.ok(core.resources.includes('configmaps') && !core.resources.includes('secrets'));
  });
});
