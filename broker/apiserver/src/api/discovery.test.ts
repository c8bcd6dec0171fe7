import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { KindDefinition } from '@millrace/resources/kind';
import { KINDS } from '@millrace/resources/kinds';

import { registryOf, servedKinds } from '../registry/registry.ts';
import { compilePath } from './json-path.ts';
import { startApi } from './testing.ts';

const AGGREGATED = {
  accept:
    'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json',
};

describe('what is served', () => {
  test('has every version of every kind that can be said', () => {
    const registry = registryOf(servedKinds());
    for (const { kind, apiVersions } of Object.values<KindDefinition<{ kind: string }>>(KINDS)) {
      for (const apiVersion of apiVersions) {
        const [version, group = ''] = apiVersion.split('/').toReversed() as [string, string?];
        const served = registry.ofType({ group, kind });
        assert.ok(
          served?.versions.some(({ name }) => name === version),
          `${apiVersion} ${kind}`,
        );
        assert.ok(served?.schema.properties?.['metadata']);
      }
    }
  });

  test('has columns whose paths can be read, and names that nobody else has', () => {
    const kinds = servedKinds();
    for (const { columns } of kinds) {
      for (const { value } of columns) if (typeof value === 'string') compilePath(value);
    }
    const names = kinds.flatMap(({ group, plural, singular, shortNames }) =>
      [...new Set([plural, singular, ...shortNames])].map((name) => `${name}.${group}`),
    );
    assert.equal(new Set(names).size, names.length);
    assert.throws(() => registryOf([...kinds, kinds[0]!]), /expected one kind at \/v1\/namespaces, got two/);
  });
});

describe('discovery', () => {
  test('tells the same in one answer as in many', async () => {
    await using api = await startApi();
    const get = async (path: string, headers?: Record<string, string>) =>
      (await api.ask('GET', path, undefined, headers)).body;
    const seen = new Set<string>();
    for (const root of ['/api', '/apis']) {
      for (const group of (await get(root, AGGREGATED)).items) {
        for (const { version, resources } of group.versions) {
          const path = root === '/api' ? `/api/${version}` : `/apis/${group.metadata.name}/${version}`;
          const listed = (await get(path)).resources.filter((it: any) => !it.name.includes('/'));
          assert.deepEqual(
            resources.map((it: any) => [it.resource, it.responseKind.kind, it.scope === 'Namespaced', it.categories]),
            listed.map((it: any) => [it.name, it.kind, it.namespaced, it.categories]),
          );
          for (const { resource } of resources) seen.add(`${path}/${resource}`);
        }
      }
    }
    assert.ok(seen.has('/apis/eventing.knative.dev/v1/triggers') && seen.has('/api/v1/secrets'));
    const group = (await get('/apis')).groups.find((it: any) => it.name === 'eventing.knative.dev');
    assert.equal(group.preferredVersion.groupVersion, 'eventing.knative.dev/v1');
    assert.deepEqual((await get('/apis/eventing.knative.dev')).versions, group.versions);
  });

  test('says what a category is of', async () => {
    await using api = await startApi();
    const { resources } = (await api.ask('GET', '/apis/messaging.knative.dev/v1')).body;
    const channel = resources.find((it: any) => it.name === 'channels');
    assert.deepEqual([channel.shortNames, channel.categories], [['ch'], ['all', 'knative', 'messaging', 'channel']]);
  });
});

test('OpenAPI documents hold what they refer to, and say that writes are validated', async () => {
  await using api = await startApi();
  const { paths } = (await api.ask('GET', '/openapi/v3')).body;
  assert.ok(Object.keys(paths).includes('apis/flows.knative.dev/v1'));
  for (const { serverRelativeURL } of Object.values<any>(paths)) {
    const { body } = await api.ask('GET', serverRelativeURL);
    const text = JSON.stringify(body);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      assert.ok(body.components.schemas[name!], name);
    assert.doesNotMatch(text, /"(?:expected|defaulted|\$defs|const|propertyNames)":/);
    for (const [path, { patch }] of Object.entries<any>(body.paths)) {
      if (!path.endsWith('/{name}')) continue;
      assert.ok(
        patch.parameters.some((it: any) => it.name === 'fieldValidation'),
        path,
      );
    }
  }
});

test('whoever comes this far may do everything', async () => {
  await using api = await startApi();
  const review = { spec: { resourceAttributes: { verb: 'create', resource: 'triggers' } } };
  const { status, body } = await api.ask('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review);
  assert.deepEqual(
    [status, body.kind, body.status.allowed, body.spec],
    [201, 'SelfSubjectAccessReview', true, review.spec],
  );
});
