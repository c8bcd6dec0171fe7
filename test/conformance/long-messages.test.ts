import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';

import { startBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { trigger } from '../support/manifests.ts';
import { startSubscriber } from '../support/subscriber.ts';

// knative.md §11.1 "Long message" and long response message.

const MIB = 1024 * 1024;
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Bytes of every value, of which no two stretches are alike. */
const bytes = (size: number) => Buffer.from(Uint32Array.from({ length: size / 4 }, (_, n) => n * 2_654_435_761).buffer);
const contents: Record<string, [data: Buffer, contentType: string]> = {
  bytes: [bytes(MIB), 'application/octet-stream'],
  text: [Buffer.from('Straße 😀 '.repeat(60_000)), 'text/plain; charset=utf-8'],
  JSON: [
    Buffer.from(JSON.stringify(Array.from({ length: 20_000 }, (_, n) => ({ id: n, name: `näme ${n}` })))),
    'application/json',
  ],
};

for (const [what, [data, contentType]] of Object.entries(contents)) {
  for (const format of ['binary', 'json']) {
    describe(`${data.length} bytes of ${what}, delivered in the format ${format}`, () => {
      test('arrive as they came', async () => {
        await using subscriber = await startSubscriber();
        await using bus = await startBus();
        await bus.apply(trigger('all', subscriber.url, { delivery: { format } }));
        assert.equal((await post(`${bus.url}/default/default`, { data, contentType })).status, 202);
        const [got] = await subscriber.count(1);
        assert.equal(got!.event!.data!.byteLength, data.length);
        assert.equal(hash(got!.event!.data!), hash(data));
        assert.equal(got!.event!.datacontenttype, contentType);
      });

      test('arrive when they are a reply', async () => {
        const event = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/r', 'ce-type': 'answered' };
        await using first = await startSubscriber(() => ({
          status: 200,
          headers: { ...event, 'content-type': contentType },
          body: data,
        }));
        await using second = await startSubscriber();
        await using bus = await startBus();
        await bus.apply(
          trigger('first', first.url, { filters: [{ exact: { type: 'asked' } }] }) +
            trigger('second', second.url, { filters: [{ exact: { type: 'answered' } }], delivery: { format } }),
        );
        await post(`${bus.url}/default/default`, { type: 'asked' });
        const [got] = await second.count(1);
        assert.equal(hash(got!.event!.data!), hash(data));
      });
    });
  }
}

test('long messages come back from the disk as they went', async () => {
  await using subscriber = await startSubscriber(() => ({ status: 422 }));
  await using bus = await startBus();
  await bus.apply(trigger('all', subscriber.url));
  const data = bytes(MIB);
  await post(`${bus.url}/default/default`, { data, contentType: 'application/octet-stream' });
  await bus.deadLetters(1);
  await using again = await bus.restart();
  assert.equal(hash(again.entries()[0]!.event.data!), hash(data));
});

test('a reply in structured mode may be as long as the event in it', async () => {
  const data = bytes(MIB);
  const reply = { specversion: '1.0', id: 'r', source: '/r', type: 'answered', data_base64: data.toString('base64') };
  await using first = await startSubscriber(() => ({
    status: 200,
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify(reply),
  }));
  await using bus = await startBus();
  await bus.apply(trigger('first', first.url, { filters: [{ exact: { type: 'asked' } }] }));
  await post(`${bus.url}/default/default`, { type: 'asked' });
  await bus.settled();
  assert.equal(hash(bus.entries()[1]!.event.data!), hash(data));
});
