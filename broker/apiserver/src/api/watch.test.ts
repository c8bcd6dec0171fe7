import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';

import { AS_TABLE, startApi, trigger, TRIGGERS } from './testing.ts';

const MERGE = { 'content-type': 'application/merge-patch+json' };
const labelled = (name: string, team: string) => trigger(name, { metadata: { labels: { team } } });

test('a watch tells what changes after a version', async () => {
  await using api = await startApi();
  await api.ask('POST', TRIGGERS, trigger('before'));
  const { body } = await api.ask('GET', TRIGGERS);
  using watch = await api.watch(`${TRIGGERS}?watch=true&resourceVersion=${body.metadata.resourceVersion}`);
  await api.ask('POST', TRIGGERS, trigger('a'));
  await api.ask('PATCH', `${TRIGGERS}/a`, { metadata: { labels: { x: 'y' } } }, MERGE);
  await api.ask('POST', TRIGGERS.replace('default', 'shop'), trigger('elsewhere'));
  await api.ask('DELETE', `${TRIGGERS}/a`);
  for (const type of ['ADDED', 'MODIFIED', 'DELETED']) {
    const event = await watch.next();
    assert.deepEqual(
      [event?.type, event?.object.metadata.name, event?.object.apiVersion],
      [type, 'a', 'eventing.knative.dev/v1'],
    );
  }
});

test('a watch without a version begins with what is there; one by a name with that', async () => {
  await using api = await startApi();
  await api.ask('POST', TRIGGERS, trigger('a'));
  await api.ask('POST', TRIGGERS, trigger('b'));
  using all = await api.watch(`${TRIGGERS}?watch=true`);
  assert.deepEqual([(await all.next())?.object.metadata.name, (await all.next())?.object.metadata.name], ['a', 'b']);
  using one = await api.watch(`${TRIGGERS}?watch=1&fieldSelector=metadata.name%3Db`);
  assert.equal((await one.next())?.object.metadata.name, 'b');
  using path = await api.watch(`${TRIGGERS}/b?watch=true`);
  assert.equal((await path.next())?.object.metadata.name, 'b');
});

test('who is watched by a selector enters and leaves by being changed', async () => {
  await using api = await startApi();
  using watch = await api.watch(`${TRIGGERS}?watch=true&labelSelector=team%3Dred`);
  await api.ask('POST', TRIGGERS, labelled('a', 'blue'));
  const move = (team: string) => api.ask('PATCH', `${TRIGGERS}/a`, { metadata: { labels: { team } } }, MERGE);
  for (const team of ['red', 'blue', 'green', 'red']) await move(team);
  await api.ask('DELETE', `${TRIGGERS}/a`);
  const seen = [];
  for (let count = 0; count < 4; count++) {
    const event = await watch.next();
    seen.push(`${event?.type} ${event?.object.metadata.labels.team}`);
  }
  assert.deepEqual(seen, ['ADDED red', 'DELETED red', 'ADDED red', 'DELETED red']);
});

test('a watch as tables has the columns once', async () => {
  await using api = await startApi();
  using watch = await api.watch(`${TRIGGERS}?watch=true`, AS_TABLE);
  await api.ask('POST', TRIGGERS, trigger('a'));
  await api.ask('POST', TRIGGERS, trigger('b'));
  const [first, second] = [await watch.next(), await watch.next()];
  assert.equal(first?.object.columnDefinitions[0].name, 'Name');
  assert.equal(second?.object.columnDefinitions, null);
  assert.equal(second?.object.rows[0].cells[0], 'b');
});

test('a version that is forgotten is told as expired, and the watch ends', async () => {
  await using api = await startApi();
  for (const name of ['a', 'b', 'c']) await api.ask('POST', TRIGGERS, trigger(name));
  await api.store.compact(1);
  using watch = await api.watch(`${TRIGGERS}?watch=true&resourceVersion=1`);
  const event = await watch.next();
  assert.deepEqual([event?.type, event?.object.code, event?.object.reason], ['ERROR', 410, 'Expired']);
  assert.equal(await watch.next(), undefined);
});

test('bookmarks tell the version now and then, after what is there when asked, and at the end', async () => {
  await using api = await startApi();
  await api.ask('POST', TRIGGERS, trigger('a'));
  const query = 'watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
  using watch = await api.watch(`${TRIGGERS}?${query}&timeoutSeconds=90`);
  assert.equal((await watch.next())?.type, 'ADDED');
  const initial = await watch.next();
  assert.equal(initial?.object.metadata.annotations['k8s.io/initial-events-end'], 'true');
  await api.ask('POST', TRIGGERS.replace('default', 'shop'), trigger('elsewhere'));
  api.clock.pass(60_000);
  const later = await watch.next();
  assert.deepEqual([later?.type, later?.object.metadata.resourceVersion], ['BOOKMARK', api.store.resourceVersion]);
  api.clock.pass(30_000);
  assert.equal((await watch.next())?.type, 'BOOKMARK');
  assert.equal(await watch.next(), undefined);
});

test('many watchers see every change once, in order', async () => {
  await using api = await startApi();
  const watches = await Promise.all(
    Array.from({ length: 20 }, () => api.watch(`${TRIGGERS}?watch=true&resourceVersion=${api.store.resourceVersion}`)),
  );
  const names = Array.from({ length: 50 }, (_, index) => `t${index}`);
  await Promise.all(names.map((name) => api.ask('POST', TRIGGERS, trigger(name))));
  for (const watch of watches) {
    const seen: any[] = [];
    while (seen.length < names.length) seen.push((await watch.next())?.object.metadata);
    const versions = seen.map(({ resourceVersion }) => Number(resourceVersion));
    assert.deepEqual(
      versions,
      versions.toSorted((one, other) => one - other),
    );
    assert.deepEqual(new Set(seen.map(({ name }) => name)), new Set(names));
    watch[Symbol.dispose]();
  }
});

test('who does not read is cut off, and nobody else notices', async () => {
  await using api = await startApi();
  const maps = '/api/v1/namespaces/default/configmaps';
  using reader = await api.watch(`${maps}?watch=true`);
  const lazy = connect({ port: Number(new URL(api.url).port), host: '127.0.0.1' });
  lazy.write(`GET ${maps}?watch=true HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  await once(lazy, 'readable');
  const content = 'x'.repeat(1_000_000);
  const written = 30;
  await api.ask('POST', maps, { metadata: { name: 'c' } });
  assert.equal((await reader.next())?.type, 'ADDED');
  for (let count = 0; count < written; count++) {
    await api.ask('PATCH', `${maps}/c`, { data: { content, count: String(count) } }, MERGE);
    assert.equal((await reader.next())?.object.data.count, String(count));
  }
  let read = 0;
  lazy.on('data', (chunk) => (read += chunk.length));
  lazy.on('error', () => {});
  await once(lazy, 'close', { signal: AbortSignal.timeout(10_000) });
  assert.ok(read < written * content.length, `${read} bytes`);
});
