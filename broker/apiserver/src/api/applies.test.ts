import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { startApi, trigger, TRIGGERS } from './testing.ts';
import type { Answer, TestApi } from './testing.ts';

const APPLY = { 'content-type': 'application/apply-patch+yaml' };
const MERGE = { 'content-type': 'application/merge-patch+json' };

const applier =
  (api: TestApi) =>
  (manager: string, body: unknown, more: { force?: boolean; path?: string } = {}) =>
    api.ask(
      'PATCH',
      `${TRIGGERS}/a${more.path ?? ''}?fieldManager=${manager}&force=${more.force === true}`,
      body,
      APPLY,
    );

const wish = (spec: object, metadata: object = {}) => trigger('a', { metadata, spec });
const specOf = ({ body }: Answer) => body.spec;
/** Of the spec. */
const fieldsOf = ({ body }: Answer, manager: string) =>
  body.metadata.managedFields.find((it: any) => it.manager === manager).fieldsV1['f:spec'];
const managersOf = ({ body }: Answer) =>
  (body.metadata.managedFields ?? []).map((it: any) => `${it.manager} ${it.operation}`).toSorted();

describe('server-side apply', () => {
  test('creates what is not there, and says who manages which fields', async () => {
    await using api = await startApi();
    const created = await applier(api)('me', wish({ delivery: { retry: 1 } }, { labels: { x: 'y' } }));
    assert.equal(created.status, 201);
    assert.deepEqual(created.body.metadata.managedFields, [
      {
        manager: 'me',
        operation: 'Apply',
        apiVersion: 'eventing.knative.dev/v1',
        time: '2026-01-02T03:04:05Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:x': {} } },
          'f:spec': { 'f:broker': {}, 'f:delivery': { 'f:retry': {} }, 'f:subscriber': { 'f:uri': {} } },
        },
      },
    ]);
  });

  test('takes YAML', async () => {
    await using api = await startApi();
    const yaml =
      'apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: a}\nspec: {broker: b, subscriber: {uri: "http://x/"}}\n';
    assert.equal((await applier(api)('me', yaml)).body.spec.broker, 'b');
  });

  test('the same again writes nothing', async () => {
    await using api = await startApi();
    const apply = applier(api);
    await apply('me', wish({}));
    const before = api.store.resourceVersion;
    api.clock.pass(10_000);
    assert.equal((await apply('me', wish({}))).status, 200);
    assert.equal(api.store.resourceVersion, before);
  });

  test('takes out what its manager does not say any more, unless others have said it', async () => {
    await using api = await startApi();
    const apply = applier(api);
    await apply('me', wish({ delivery: { retry: 1, timeout: 'PT1S' }, filters: [{ exact: { type: 'a' } }] }));
    await apply('you', wish({ delivery: { timeout: 'PT1S' } }));
    assert.deepEqual(specOf(await apply('me', wish({}))).delivery, { timeout: 'PT1S' });
    const left = specOf(await apply('you', wish({})));
    assert.deepEqual([left.delivery, left.filters], [undefined, undefined]);
  });

  test('a field to which others gave another value is a conflict, until it is forced', async () => {
    await using api = await startApi();
    const apply = applier(api);
    await apply('me', wish({ delivery: { retry: 1, timeout: 'PT1S' } }));
    const theirs = wish({ delivery: { retry: 2, timeout: 'PT2S' } });
    const { status, body } = await apply('you', theirs);
    assert.deepEqual([status, body.reason], [409, 'Conflict']);
    assert.equal(
      body.message,
      'Apply failed with 2 conflicts: conflicts with "me":\n- .spec.delivery.retry\n- .spec.delivery.timeout',
    );
    assert.deepEqual(body.details.causes[0], {
      reason: 'FieldManagerConflict',
      message: 'conflict with "me"',
      field: '.spec.delivery.retry',
    });
    const forced = await apply('you', theirs, { force: true });
    assert.deepEqual(specOf(forced).delivery, { retry: 2, timeout: 'PT2S' });
    // What was taken from them is not theirs to take out.
    assert.deepEqual(specOf(await apply('me', wish({}))).delivery, { retry: 2, timeout: 'PT2S' });
  });

  test('what was changed otherwise belongs to who changed it', async () => {
    await using api = await startApi();
    const apply = applier(api);
    await apply('me', wish({ delivery: { retry: 1 } }));
    const patch = (retry: number | null) =>
      api.ask('PATCH', `${TRIGGERS}/a?fieldManager=hand`, { spec: { delivery: { retry } } }, MERGE);
    const patched = await patch(5);
    assert.deepEqual(managersOf(patched), ['hand Update', 'me Apply']);
    assert.equal(fieldsOf(patched, 'me')['f:delivery'], undefined);
    assert.deepEqual(fieldsOf(patched, 'hand'), { 'f:delivery': { 'f:retry': {} } });
    const { body } = await apply('me', wish({ delivery: { retry: 1 } }));
    assert.match(body.message, /conflict with "hand" using eventing.knative.dev\/v1: \.spec\.delivery\.retry$/);
    const taken = await apply('me', wish({ delivery: { retry: 1 } }), { force: true });
    assert.deepEqual(managersOf(taken), ['me Apply']);
    const removed = await patch(null);
    assert.equal(fieldsOf(removed, 'me')['f:delivery'], undefined, 'what is gone has no manager');
  });

  test('over kubectl apply takes what the same user has applied, and nothing else', async () => {
    await using api = await startApi();
    const apply = applier(api);
    const annotations = {
      'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(wish({ delivery: { retry: 1 } })),
    };
    const first = wish({ delivery: { retry: 1, timeout: 'PT1S' } }, { annotations });
    await api.ask('POST', `${TRIGGERS}?fieldManager=kubectl-client-side-apply`, first);
    assert.equal((await apply('someone', wish({ delivery: { retry: 2 } }))).status, 409);
    assert.equal((await apply('kubectl', wish({ delivery: { retry: 2, timeout: 'PT2S' } }))).status, 409);
    assert.equal(specOf(await apply('kubectl', wish({ delivery: { retry: 2 } }))).delivery.retry, 2);
  });

  test('of status and of the rest are two, even for one manager', async () => {
    await using api = await startApi();
    const apply = applier(api);
    await apply('me', wish({}));
    const status = {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Trigger',
      metadata: { name: 'a' },
      status: { subscriberUri: 'u' },
    };
    const told = await apply('me', status, { path: '/status' });
    assert.equal(told.body.status.subscriberUri, 'u');
    assert.equal(told.body.spec.broker, 'default');
    assert.equal((await apply('me', wish({}))).body.status.subscriberUri, 'u');
  });

  test('finalizers and owners have managers one by one', async () => {
    await using api = await startApi();
    const apply = applier(api);
    const owner = (uid: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: uid, uid });
    await apply('me', wish({}, { finalizers: ['a.b/mine'], ownerReferences: [owner('1')] }));
    await apply('you', wish({}, { finalizers: ['a.b/yours'], ownerReferences: [owner('2')] }));
    const { metadata } = (await apply('me', wish({}))).body;
    assert.deepEqual(metadata.finalizers, ['a.b/yours']);
    assert.deepEqual(metadata.ownerReferences, [owner('2')]);
  });

  test('is refused when it brings managed fields, or names another version', async () => {
    await using api = await startApi();
    const apply = applier(api);
    await apply('me', wish({}));
    assert.equal((await apply('me', wish({}, { managedFields: [{ manager: 'x' }] }))).status, 400);
    assert.equal((await apply('me', wish({ delivery: { retry: 1 } }, { resourceVersion: '1' }))).status, 409);
  });

  test('what a request sets as managed fields is taken, and an empty list forgets them', async () => {
    await using api = await startApi();
    const apply = applier(api);
    await apply('me', wish({ delivery: { retry: 1 } }));
    await api.ask('PATCH', `${TRIGGERS}/a`, { metadata: { managedFields: [{}] } }, MERGE);
    assert.deepEqual(managersOf(await api.ask('GET', `${TRIGGERS}/a`)), []);
    assert.equal((await apply('you', wish({ delivery: { retry: 2 } }))).status, 200);
  });
});
