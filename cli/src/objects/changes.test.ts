import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ApiClient, ApiEvent, ApiRequest } from '../api-client.ts';
import { changes } from './changes.ts';
import type { ResourceType } from './discovery.ts';

const TYPE: ResourceType = {
  group: 'eventing.knative.dev',
  version: 'v1',
  kind: 'Trigger',
  plural: 'triggers',
  singular: 'trigger',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: ['watch'],
};

const at = (type: ApiEvent['type'], resourceVersion: string): ApiEvent => ({
  type,
  object: { metadata: { resourceVersion } },
});
const GONE: ApiEvent = { type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old resource version' } };

/** A server that ends each watch after these events; what it was asked is written down. After the last one it refuses. */
function serverThatTells(streams: readonly (readonly ApiEvent[])[]) {
  const asked: ApiRequest[] = [];
  const client: ApiClient = {
    url: 'http://127.0.0.1:1',
    send: () => Promise.reject(new Error('not asked for')),
    async watch(request) {
      const stream = streams[asked.length];
      asked.push(request);
      if (stream === undefined) throw new Error('it has gone');
      return (async function* () {
        yield* stream;
      })();
    },
  };
  return { client, versions: () => asked.map(({ query }) => query?.['resourceVersion']) };
}

async function seenOf(client: ApiClient, signal?: AbortSignal): Promise<string[]> {
  const seen: string[] = [];
  const selected = { type: TYPE, namespace: 'default', name: undefined };
  try {
    for await (const { type } of changes(client, selected, signal === undefined ? {} : { signal })) seen.push(type);
  } catch (error) {
    seen.push((error as Error).message);
  }
  return seen;
}

test('a watch that the server ends goes on where it ended, bookmarks counted and not told', async () => {
  const { client, versions } = serverThatTells([[at('ADDED', '3'), at('BOOKMARK', '7')], [at('MODIFIED', '9')], []]);
  assert.deepEqual(await seenOf(client), ['ADDED', 'MODIFIED', 'it has gone']);
  assert.deepEqual(versions(), [undefined, '7', '9', '9']);
});

test('the version of a table is that of its last row', async () => {
  const object = { rows: [{ object: { metadata: { resourceVersion: '4' } } }], metadata: { resourceVersion: '2' } };
  const { client, versions } = serverThatTells([[{ type: 'ADDED', object }]]);
  await seenOf(client);
  assert.deepEqual(versions(), [undefined, '4']);
});

test('when what was missed is not known any more, it begins with what there is', async () => {
  const { client, versions } = serverThatTells([[at('ADDED', '3')], [GONE, at('MODIFIED', '4')], [at('ADDED', '8')]]);
  assert.deepEqual(await seenOf(client), ['ADDED', 'ADDED', 'it has gone']);
  assert.deepEqual(versions(), [undefined, '3', undefined, '8']);
});

test('another error of the server ends it', async () => {
  const { client } = serverThatTells([[{ type: 'ERROR', object: { kind: 'Status', code: 500, message: 'broken' } }]]);
  assert.deepEqual(await seenOf(client), ['broken']);
});

test('a signal ends it', async () => {
  const { client, versions } = serverThatTells([[at('ADDED', '3')]]);
  assert.deepEqual(await seenOf(client, AbortSignal.abort()), []);
  assert.deepEqual(versions(), []);
});
