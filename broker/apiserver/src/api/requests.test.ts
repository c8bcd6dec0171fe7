import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { AS_TABLE, startApi, trigger, TRIGGERS } from './testing.ts';
import type { Answer } from './testing.ts';

const SECRETS = '/api/v1/namespaces/default/secrets';
const MERGE = { 'content-type': 'application/merge-patch+json' };
const STRATEGIC = { 'content-type': 'application/strategic-merge-patch+json' };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };

/** Asserts that it is a refusal, and gives its Status. */
function refused(answer: Answer, code: number, reason: string, message: RegExp) {
  assert.equal(answer.status, code, JSON.stringify(answer.body));
  assert.equal(answer.body.kind, 'Status');
  assert.equal(answer.body.code, code);
  assert.equal(answer.body.reason, reason);
  assert.match(answer.body.message, message);
  return answer.body;
}

describe('requests that are refused', () => {
  const named = (name: string, spec?: object) => trigger(name, { spec: spec ?? {} });
  const cases: readonly [
    what: string,
    request: [method: string, path: string, body?: unknown, headers?: Record<string, string>],
    expected: [code: number, reason: string, message: RegExp],
  ][] = [
    ['an unknown group', ['GET', '/apis/example.com/v1/things'], [404, 'NotFound', /could not find the requested/]],
    ['an unknown subresource', ['GET', `${TRIGGERS}/there/scale`], [404, 'NotFound', /could not find/]],
    ['no such object', ['GET', `${TRIGGERS}/x`], [404, 'NotFound', /^triggers.eventing.knative.dev "x" not found$/]],
    [
      'no such namespace',
      ['POST', TRIGGERS.replace('default', 'no'), named('a')],
      [404, 'NotFound', /^namespaces "no"/],
    ],
    ['one that is there', ['POST', TRIGGERS, named('there')], [409, 'AlreadyExists', /"there" already exists$/]],
    ['another method', ['POST', `${TRIGGERS}/there`, {}], [405, 'MethodNotAllowed', /does not allow this method/]],
    [
      'another kind',
      ['POST', TRIGGERS, { ...named('a'), kind: 'Broker' }],
      [400, 'BadRequest', /kind in the data \(Broker\)/],
    ],
    [
      'another version',
      ['POST', TRIGGERS, { ...named('a'), apiVersion: 'v1' }],
      [400, 'BadRequest', /API version in the data/],
    ],
    [
      'another name',
      ['PUT', `${TRIGGERS}/there`, named('b')],
      [400, 'BadRequest', /does not match the name on the URL/],
    ],
    [
      'another namespace',
      ['POST', TRIGGERS, trigger('a', { metadata: { namespace: 'shop' } })],
      [400, 'BadRequest', /namespace of the provided/],
    ],
    ['no name', ['POST', TRIGGERS, named('')], [422, 'Invalid', /metadata.name: Required value/]],
    ['a wrong name', ['POST', TRIGGERS, named('A_b')], [422, 'Invalid', /metadata.name: Invalid value: "A_b"/]],
    [
      'a wrong name of a kind that means nothing',
      ['POST', '/apis/sinks.knative.dev/v1alpha1/namespaces/default/jobsinks', { metadata: { name: 'A b' } }],
      [422, 'Invalid', /Invalid value: "A b"/],
    ],
    [
      'labels that are no texts',
      ['POST', TRIGGERS, trigger('a', { metadata: { labels: { a: 1 } } })],
      [400, 'BadRequest', /metadata.labels is not of the type/],
    ],
    [
      'a wrong spec',
      ['POST', TRIGGERS, named('a', { broker: undefined })],
      [422, 'Invalid', /denied the request: validation failed: missing field\(s\): spec.broker/],
    ],
    [
      'a number where a text is wanted',
      ['POST', TRIGGERS, named('a', { filter: { attributes: { type: 1 } } })],
      [422, 'Invalid', /must be of type string: "integer"/],
    ],
    [
      'a change of what cannot change',
      ['PATCH', `${TRIGGERS}/there`, { spec: { broker: 'b' } }, MERGE],
      [422, 'Invalid', /Immutable fields changed/],
    ],
    [
      'an unknown field, strictly',
      ['POST', `${TRIGGERS}?fieldValidation=Strict`, named('a', { brokr: 'b' })],
      [
        400,
        'BadRequest',
        /^Trigger in version "v1" cannot be handled as a Trigger: strict decoding error: unknown field "spec.brokr" \(did you mean "broker"\?\)$/,
      ],
    ],
    [
      'an unknown way to validate',
      ['POST', `${TRIGGERS}?fieldValidation=Maybe`, named('a')],
      [422, 'Invalid', /fieldValidation: Unsupported value/],
    ],
    [
      'an unknown dry run',
      ['POST', `${TRIGGERS}?dryRun=Some`, named('a')],
      [422, 'Invalid', /dryRun: Unsupported value/],
    ],
    [
      'no JSON',
      ['POST', TRIGGERS, '{"password": "hush"'],
      [400, 'BadRequest', /^expected JSON in the body of the request, got something/],
    ],
    ['a list', ['POST', TRIGGERS, []], [400, 'BadRequest', /expected an object/]],
    [
      'a YAML bomb',
      ['POST', TRIGGERS, bomb(), { 'content-type': 'application/yaml' }],
      [400, 'BadRequest', /error parsing YAML/],
    ],
    [
      'another type',
      ['POST', TRIGGERS, 'x', { 'content-type': 'text/plain' }],
      [415, 'UnsupportedMediaType', /unknown format/],
    ],
    [
      'a body that is too large',
      ['POST', TRIGGERS, 'x'.repeat(3 * 1024 * 1024 + 1)],
      [413, 'RequestEntityTooLarge', /limit is 3145728/],
    ],
    [
      'JSON that is too deep',
      ['POST', TRIGGERS, `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
      [400, 'BadRequest', /at most 200 levels/],
    ],
    [
      'an object that is too large',
      [
        'POST',
        '/api/v1/namespaces/default/configmaps',
        { metadata: { name: 'c' }, data: { a: 'x'.repeat(2_100_000) } },
      ],
      [413, 'RequestEntityTooLarge', /limit is 2097152/],
    ],
    [
      'protobuf of another kind',
      ['POST', TRIGGERS, Buffer.from('k8s\0'), { 'content-type': 'application/vnd.kubernetes.protobuf' }],
      [400, 'BadRequest', /send JSON/],
    ],
    [
      'a strategic patch of another than a core kind',
      ['PATCH', `${TRIGGERS}/there`, {}, STRATEGIC],
      [415, 'UnsupportedMediaType', /merge-patch\+json, application\/apply-patch/],
    ],
    [
      'a JSON patch that does not apply',
      ['PATCH', `${TRIGGERS}/there`, [{ op: 'test', path: '/spec/broker', value: 'x' }], JSON_PATCH],
      [422, 'Invalid', /testing value \/spec\/broker failed/],
    ],
    [
      'a version that is past',
      ['PATCH', `${TRIGGERS}/there`, { metadata: { resourceVersion: '1' } }, MERGE],
      [409, 'Conflict', /Operation cannot be fulfilled on triggers.*"there": the object has been modified/],
    ],
    [
      'another uid',
      ['DELETE', `${TRIGGERS}/there`, { preconditions: { uid: 'x' } }],
      [409, 'Conflict', /Precondition failed: UID/],
    ],
    [
      'a label selector',
      ['GET', `${TRIGGERS}?labelSelector=a%3D%3D%3Db`],
      [400, 'BadRequest', /unable to parse requirement/],
    ],
    [
      'a field that cannot be selected by',
      ['GET', `${TRIGGERS}?fieldSelector=spec.broker%3Db`],
      [400, 'BadRequest', /^field label not supported: spec.broker$/],
    ],
    [
      'an apply without a manager',
      ['PATCH', `${TRIGGERS}/there`, named('there'), { 'content-type': 'application/apply-patch+yaml' }],
      [422, 'Invalid', /fieldManager: Required value/],
    ],
    [
      'the end of the namespace default',
      ['DELETE', '/api/v1/namespaces/default'],
      [403, 'Forbidden', /may not be deleted/],
    ],
    [
      'data of a Secret that is no base64',
      ['POST', SECRETS, { metadata: { name: 's' }, data: { a: 'hush!' } }],
      [422, 'Invalid', /^(?!.*hush).*base64/],
    ],
  ];
  for (const [what, request, [code, reason, message]] of cases) {
    test(what, async () => {
      await using api = await startApi();
      assert.equal((await api.ask('POST', TRIGGERS, trigger('there'))).status, 201);
      const before = api.store.resourceVersion;
      refused(await api.ask(...request), code, reason, message);
      assert.equal(api.store.resourceVersion, before, 'nothing was written');
      assert.deepEqual(api.failures, []);
    });
  }

  test('say each fault beside its field', async () => {
    await using api = await startApi();
    const answer = await api.ask(
      'POST',
      TRIGGERS,
      trigger('a', { spec: { broker: undefined, delivery: { retry: -1 } } }),
    );
    const { details } = refused(answer, 422, 'Invalid', /validation failed/);
    assert.deepEqual(
      details.causes.map(({ reason, field }: { reason: string; field: string }) => [reason, field]).toSorted(),
      [
        ['FieldValueInvalid', 'spec.delivery.retry'],
        ['FieldValueRequired', 'spec.broker'],
      ],
    );
    assert.deepEqual([details.name, details.group, details.kind], ['a', 'eventing.knative.dev', 'Trigger']);
  });
});

function bomb(): string {
  const levels = Array.from({ length: 12 }, (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`);
  return ['a0: &a0 x', ...levels].join('\n');
}

describe('what is not the API', () => {
  test('is left to others', async () => {
    await using api = await startApi();
    for (const path of ['/', '/api/events', '/api/about', '/metrics', '/apiserver', '/versions']) {
      assert.equal((await api.ask('GET', path)).body, 'not ours', path);
    }
    for (const path of ['/api', '/api/', '/api/v1', '/apis', '/apis/', '/version', '/healthz', '/openapi/v3']) {
      assert.equal((await api.ask('GET', path)).status, 200, path);
    }
  });
});

describe('an object', () => {
  test('is created with what the server sets, and is shown in each version of its kind', async () => {
    await using api = await startApi();
    const wish = { uid: 'mine', generation: 7, creationTimestamp: '1999-01-01T00:00:00Z' };
    const { status, body } = await api.ask('POST', `${TRIGGERS}?fieldManager=me`, trigger('a', { metadata: wish }));
    assert.equal(status, 201);
    assert.equal(body.metadata.creationTimestamp, '2026-01-02T03:04:05Z');
    assert.equal(body.metadata.generation, 1);
    assert.notEqual(body.metadata.uid, 'mine');
    assert.deepEqual(body.metadata.labels, { 'eventing.knative.dev/broker': 'default' });
    assert.deepEqual((await api.ask('GET', `${TRIGGERS}/a`)).body, body);

    const channels = (version: string) => `/apis/messaging.knative.dev/${version}/namespaces/default/kafkachannels`;
    const channel = { apiVersion: 'messaging.knative.dev/v1', kind: 'KafkaChannel', metadata: { name: 'k' } };
    assert.equal((await api.ask('POST', channels('v1'), channel)).body.apiVersion, 'messaging.knative.dev/v1');
    const old = await api.ask('GET', channels('v1beta1'));
    assert.equal(old.body.items[0].apiVersion, 'messaging.knative.dev/v1beta1');
    assert.equal(old.body.kind, 'KafkaChannelList');
  });

  test('may say null of what is not there, and has no generation where it has no status', async () => {
    await using api = await startApi();
    const metadata = { name: 's', labels: null, annotations: null, creationTimestamp: null };
    const { status, body } = await api.ask('POST', SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata });
    assert.deepEqual([status, body.metadata.labels], [201, undefined]);
    const patched = await api.ask('PATCH', `${SECRETS}/s`, { stringData: { a: 'b' } }, MERGE);
    assert.deepEqual([patched.body.data, patched.body.metadata.generation], [{ a: 'Yg==' }, undefined]);
  });

  test('gets a name where only its beginning is said', async () => {
    await using api = await startApi();
    const { body } = await api.ask('POST', TRIGGERS, trigger('', { metadata: { generateName: 'a-' } }));
    assert.match(body.metadata.name, /^a-[0-9a-f]{5}$/);
  });

  test('counts its generations by what is wanted, and takes its status through the subresource only', async () => {
    await using api = await startApi();
    await api.ask('POST', TRIGGERS, { ...trigger('a'), status: { mine: true } });
    const patch = (path: string, body: object) => api.ask('PATCH', `${TRIGGERS}/a${path}`, body, MERGE);
    const at = ({ body }: Answer) => [body.metadata.generation, body.status, body.spec.delivery?.retry];
    assert.deepEqual(at(await patch('', { metadata: { labels: { x: 'y' } } })), [1, undefined, undefined]);
    assert.deepEqual(at(await patch('', { spec: { delivery: { retry: 1 } }, status: { a: 1 } })), [2, undefined, 1]);
    const status = { spec: { delivery: { retry: 2 } }, status: { a: 1 } };
    assert.deepEqual(at(await patch('/status', status)), [2, { a: 1 }, 1]);
    assert.deepEqual(at(await api.ask('PUT', `${TRIGGERS}/a`, trigger('a'))), [3, { a: 1 }, undefined]);
  });

  test('that is written as it is stays at its version', async () => {
    await using api = await startApi();
    await api.ask('POST', `${TRIGGERS}?fieldManager=me`, trigger('a'));
    const before = api.store.resourceVersion;
    api.clock.pass(5_000);
    await api.ask('PATCH', `${TRIGGERS}/a?fieldManager=you`, { spec: { broker: 'default' } }, MERGE);
    await api.ask('PUT', `${TRIGGERS}/a?fieldManager=you`, (await api.ask('GET', `${TRIGGERS}/a`)).body);
    assert.equal(api.store.resourceVersion, before);
  });

  test('is changed by many at once, and no change is lost', async () => {
    await using api = await startApi();
    await api.ask('POST', TRIGGERS, trigger('a'));
    const names = ['a', 'b', 'c', 'd', 'e'];
    const patch = (name: string) =>
      api.ask('PATCH', `${TRIGGERS}/a`, { metadata: { annotations: { [name]: '1' } } }, MERGE);
    const answers = await Promise.all(names.map(patch));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 200],
    );
    const { body } = await api.ask('GET', `${TRIGGERS}/a`);
    assert.deepEqual(Object.keys(body.metadata.annotations).toSorted(), names);
  });

  test('of a core kind takes a strategic merge patch', async () => {
    await using api = await startApi();
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    await api.ask('POST', accounts, {
      metadata: { name: 'w', finalizers: ['a.b/x', 'a.b/y'] },
      secrets: [{ name: 'a' }, { name: 'b' }],
    });
    const patch = {
      metadata: { '$deleteFromPrimitiveList/finalizers': ['a.b/x'], finalizers: ['a.b/z'] },
      secrets: [{ name: 'c' }, { name: 'a', $patch: 'delete' }],
    };
    const { body } = await api.ask('PATCH', `${accounts}/w`, patch, STRATEGIC);
    assert.deepEqual(body.secrets, [{ name: 'b' }, { name: 'c' }]);
    assert.deepEqual(body.metadata.finalizers.toSorted(), ['a.b/y', 'a.b/z']);
  });

  test('may have unknown fields, which are told and taken out, or only taken out', async () => {
    await using api = await startApi();
    const create = (name: string, mode: string) =>
      api.ask('POST', `${TRIGGERS}?fieldValidation=${mode}`, trigger(name, { spec: { brokr: 'x' } }));
    const warned = await create('a', 'Warn');
    assert.equal(warned.headers.get('warning'), '299 - "unknown field \\"spec.brokr\\" (did you mean \\"broker\\"?)"');
    const ignored = await create('b', 'Ignore');
    assert.equal(ignored.headers.get('warning'), null);
    for (const { status, body } of [warned, ignored]) {
      assert.equal(status, 201);
      assert.equal(body.spec.brokr, undefined);
    }
  });

  test('is not stored in a dry run, and all is checked', async () => {
    await using api = await startApi();
    const before = api.store.resourceVersion;
    const created = await api.ask('POST', `${TRIGGERS}?dryRun=All`, trigger('a'));
    assert.equal(created.status, 201);
    assert.ok(created.body.metadata.uid);
    refused(await api.ask('POST', `${TRIGGERS}?dryRun=All`, trigger('B')), 422, 'Invalid', /"B"/);
    assert.equal(api.store.resourceVersion, before);
    await api.ask('POST', TRIGGERS, trigger('a'));
    const patched = await api.ask('PATCH', `${TRIGGERS}/a?dryRun=All`, { spec: { delivery: { retry: 2 } } }, MERGE);
    assert.equal(patched.body.spec.delivery.retry, 2);
    assert.equal((await api.ask('DELETE', `${TRIGGERS}/a?dryRun=All`)).status, 200);
    assert.equal((await api.ask('GET', `${TRIGGERS}/a`)).body.spec.delivery, undefined);
  });

  test('goes with a Status, and a collection with all that is selected', async () => {
    await using api = await startApi();
    for (const name of ['a', 'b', 'c'])
      await api.ask('POST', TRIGGERS, trigger(name, { metadata: { labels: { name } } }));
    const { body } = await api.ask('DELETE', `${TRIGGERS}/a`, { propagationPolicy: 'Background' });
    assert.deepEqual([body.status, body.details.name, body.details.kind], ['Success', 'a', 'triggers']);
    await api.ask('DELETE', `${TRIGGERS}?labelSelector=name%3Db`);
    const names = (await api.ask('GET', TRIGGERS)).body.items.map((it: any) => it.metadata.name);
    assert.deepEqual(names, ['c']);
  });

  test('that is held goes with its last finalizer, then its owner, then its namespace', async () => {
    await using api = await startApi();
    const maps = '/api/v1/namespaces/shop/configmaps';
    const named = (name: string, more: object = {}) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, ...more },
    });
    const { uid } = (await api.ask('POST', maps, named('owner'))).body.metadata;
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid, blockOwnerDeletion: true };
    await api.ask('POST', maps, named('held', { ownerReferences: [owner], finalizers: ['a.b/c'] }));
    await api.ask('POST', maps, named('free'));
    const deleted = await api.ask('DELETE', `${maps}/owner`, { propagationPolicy: 'Foreground' });
    assert.deepEqual(deleted.body.metadata.finalizers, ['foregroundDeletion']);
    assert.equal((await api.ask('DELETE', '/api/v1/namespaces/shop')).body.status.phase, 'Terminating');
    assert.equal((await api.ask('GET', `${maps}/free`)).status, 404);
    refused(await api.ask('POST', maps, named('late')), 403, 'Forbidden', /because it is being terminated/);
    const late = { metadata: { finalizers: ['a.b/c', 'a.b/d'] } };
    refused(await api.ask('PATCH', `${maps}/held`, late, MERGE), 422, 'Invalid', /no new finalizers can be added/);
    await api.ask('PATCH', `${maps}/held`, { metadata: { finalizers: [] } }, MERGE);
    for (const path of [`${maps}/held`, `${maps}/owner`, '/api/v1/namespaces/shop']) {
      assert.equal((await api.ask('GET', path)).status, 404, path);
    }
  });

  test('that is secret is shown to who asks for it, and in no table', async () => {
    await using api = await startApi();
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { word: 'hush' } };
    const { body } = await api.ask('POST', SECRETS, secret);
    assert.deepEqual([body.data, body.stringData, body.type], [{ word: 'aHVzaA==' }, undefined, 'Opaque']);
    const table = await api.ask('GET', SECRETS, undefined, AS_TABLE);
    assert.deepEqual(table.body.rows[0].cells, ['s', 'Opaque', 1, '0s']);
    assert.doesNotMatch(JSON.stringify(table.body), /hush|aHVzaA/);
  });
});

describe('a table', () => {
  test('has the columns of its kind, and rows with as much of the object as is asked for', async () => {
    await using api = await startApi();
    await api.ask('POST', TRIGGERS, trigger('a'));
    await api.ask(
      'PATCH',
      `${TRIGGERS}/a/status`,
      {
        status: {
          subscriberUri: 'http://x/',
          conditions: [
            { type: 'Other', status: 'False' },
            { type: 'Ready', status: 'Unknown', reason: 'Why' },
          ],
        },
      },
      MERGE,
    );
    api.clock.pass(200_000);
    const { headers, body } = await api.ask('GET', `${TRIGGERS}?limit=500`, undefined, AS_TABLE);
    assert.equal(headers.get('content-type'), 'application/json;as=Table;v=v1;g=meta.k8s.io');
    assert.deepEqual(
      body.columnDefinitions.map((it: any) => it.name),
      ['Name', 'Broker', 'Subscriber_URI', 'Age', 'Ready', 'Reason'],
    );
    assert.deepEqual(body.rows[0].cells, ['a', 'default', 'http://x/', '3m20s', 'Unknown', 'Why']);
    assert.deepEqual(Object.keys(body.rows[0].object), ['kind', 'apiVersion', 'metadata']);
    const whole = await api.ask('GET', `${TRIGGERS}/a?includeObject=Object`, undefined, AS_TABLE);
    assert.equal(whole.body.rows[0].object.spec.broker, 'default');
    assert.equal(
      (await api.ask('GET', `${TRIGGERS}?includeObject=None`, undefined, AS_TABLE)).body.rows[0].object,
      undefined,
    );
  });
});
