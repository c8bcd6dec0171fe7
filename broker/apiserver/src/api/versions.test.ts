import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { startApi } from './testing.ts';

const GROUP = '/apis/eventing.knative.dev';
const at = (version: string, name = '') => `${GROUP}/${version}/namespaces/default/eventtypes${name && `/${name}`}`;
const ATTRIBUTES = [
  { name: 'type', required: true, value: 'order' },
  { name: 'source', required: true, value: '/shop' },
  { name: 'specversion', required: true },
  { name: 'id', required: true },
];
const draft = (version: string, spec: object) => ({
  apiVersion: `eventing.knative.dev/${version}`,
  kind: 'EventType',
  metadata: { name: 'order' },
  spec,
});

describe('versions of a kind that say the same otherwise', () => {
  test('are read and written as each has it, and stored as one', async () => {
    await using api = await startApi();
    const created = await api.ask('POST', at('v1beta3'), draft('v1beta3', { attributes: ATTRIBUTES }));
    assert.equal(created.status, 201, JSON.stringify(created.body));
    assert.deepEqual(created.body.spec, { attributes: ATTRIBUTES });
    const fields = await api.ask('GET', at('v1beta2', 'order'));
    assert.deepEqual(fields.body.spec, { type: 'order', source: '/shop' });
    const list = await api.ask('GET', at('v1beta3'));
    assert.deepEqual(list.body.items[0].spec, { attributes: ATTRIBUTES });
    const [stored] = api.store.list({ group: 'eventing.knative.dev', kind: 'EventType' }).items;
    assert.deepEqual([stored!.apiVersion, stored!['spec']], ['eventing.knative.dev/v1beta2', fields.body.spec]);
  });

  test('are patched in the version of the request', async () => {
    await using api = await startApi();
    await api.ask('POST', at('v1beta2'), draft('v1beta2', { type: 'order', source: '/shop' }));
    const path = [{ op: 'replace', path: '/spec/attributes/1/value', value: '/till' }];
    const type = { 'content-type': 'application/json-patch+json' };
    const patched = await api.ask('PATCH', at('v1beta3', 'order'), path, type);
    assert.equal(patched.status, 200, JSON.stringify(patched.body));
    assert.deepEqual((await api.ask('GET', at('v1beta2', 'order'))).body.spec, { type: 'order', source: '/till' });
  });

  test('are refused in their own words', async () => {
    await using api = await startApi();
    const { status, body } = await api.ask(
      'POST',
      at('v1beta3'),
      draft('v1beta3', { attributes: ATTRIBUTES.slice(0, 2) }),
    );
    assert.equal(status, 400);
    assert.match(body.message, /EventType in version "v1beta3" .*missing field\(s\): specversion, id$/);
    const fields = await api.ask('POST', at('v1beta2'), draft('v1beta2', { source: '/shop' }));
    assert.equal(fields.status, 422);
    assert.match(fields.body.message, /missing field\(s\): spec.type/);
  });

  test('are shown in the same columns', async () => {
    await using api = await startApi();
    await api.ask('POST', at('v1beta3'), draft('v1beta3', { attributes: ATTRIBUTES }));
    const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    for (const version of ['v1beta1', 'v1beta2', 'v1beta3']) {
      const { body } = await api.ask('GET', at(version), undefined, table);
      assert.deepEqual(body.rows[0].cells.slice(0, 3), ['order', 'order', '/shop']);
    }
  });
});
