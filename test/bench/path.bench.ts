import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fastify from 'fastify';
import { Pool } from 'undici';

import { decodeMessage } from '@millrace/event/http';
import { makeEvent } from '@millrace/event/event';
import { encodeBinary } from '@millrace/event/http';
import { openSqliteStore } from '@millrace/bus/log/sqlite/store';

import { startBus } from '../support/bus.ts';
import type { TestBus } from '../support/bus.ts';
import { startLoad } from './load.ts';
import type { Load } from './load.ts';
import { alone, compared, cpuPerItem, medians } from './measure.ts';
import type { Row } from './measure.ts';

const EVENTS = 20_000;
const CONNECTIONS = 64;
const SIZE = 1_024;
const ROUNDS = 5;

/**
 * The whole path of an event (ingress, durable append, filter, one delivery) beside the sum of its parts, each measured
 * alone in the same run: fastify with our parse, the SQLite append, one request by undici. CPU of all threads.
 */
export async function pathBench(): Promise<Row[]> {
  const load = await startLoad();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const door = await startDoor();
  const store = await openSqliteStore(folder);
  const one = await busWithTriggers(load, 1);
  const thousand = await busWithTriggers(load, 1_000);
  try {
    const figures = await medians(ROUNDS, {
      door: () => cpuPerItem(EVENTS, async () => void (await load.post(request(door.url)))),
      append: () => cpuPerItem(EVENTS, () => appendAll(store)),
      send: () => cpuPerItem(EVENTS, () => sendAll(load)),
      one: () => throughBus(one, load),
      structured: () => throughBus(one, load, 'structured'),
      thousand: () => throughBus(thousand, load),
    });
    const parts = figures.door + figures.append + figures.send;
    return [
      alone('fastify and our parse, per event', figures.door, 'us CPU'),
      alone('append to SQLite, per event', figures.append, 'us CPU'),
      alone('one POST by undici, per event', figures.send, 'us CPU'),
      compared('the whole path against the sum of its parts', figures.one, 'us CPU', parts, 1.25),
      compared('1,000 exact triggers against one', figures.thousand, 'us CPU', figures.one, 1.5),
      compared('structured mode against binary mode', figures.structured, 'us CPU', figures.one, 1.3),
    ];
  } finally {
    await store.close();
    await door.close();
    await one[Symbol.asyncDispose]();
    await thousand[Symbol.asyncDispose]();
    await load.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const request = (url: string, mode: 'binary' | 'structured' = 'binary') => ({
  url,
  count: EVENTS,
  connections: CONNECTIONS,
  mode,
  size: SIZE,
});

async function throughBus(bus: TestBus, load: Load, mode: 'binary' | 'structured' = 'binary'): Promise<number> {
  return cpuPerItem(EVENTS, async () => {
    const delivered = load.post(request(`${bus.url}/default/default`, mode));
    if ((await delivered) !== EVENTS) throw new Error('not every event was accepted');
    await load.delivered(EVENTS);
  });
}

/** One trigger that wants the events of the load, and others that want others. */
async function busWithTriggers(load: Load, count: number): Promise<TestBus> {
  const bus = await startBus();
  const trigger = (name: string, type: string) => `
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: ${name} }
spec:
  broker: default
  filters: [{ exact: { type: ${type} } }]
  subscriber: { uri: "${load.subscriberUrl}" }
`;
  const others = Array.from({ length: count - 1 }, (_, index) =>
    trigger(`other-${index}`, `com.example.other-${index}`),
  );
  await bus.apply([trigger('wanted', 'com.example.bench'), ...others].join('---'));
  return bus;
}

async function startDoor() {
  const server = fastify();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.post('/*', (incoming, reply) => {
    decodeMessage(incoming.raw.rawHeaders, incoming.body as Buffer);
    return reply.code(202).send();
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    url: `http://127.0.0.1:${(server.server.address() as AddressInfo).port}/default/default`,
    close: () => server.close(),
  };
}

const event = makeEvent(
  { specversion: '1.0', id: '1', source: '/bench', type: 'com.example.bench', datacontenttype: 'application/json' },
  Buffer.from(JSON.stringify({ text: 'x'.repeat(SIZE - 11) })),
);

/** As many producers as the load has connections, each waiting for its own event. */
async function appendAll(store: Awaited<ReturnType<typeof openSqliteStore>>): Promise<void> {
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let index = 0; index < EVENTS / CONNECTIONS; index += 1) {
        await store.log.append([{ topic: 'bench', event, arrivedAt: 0, hops: 0 }]);
      }
    }),
  );
}

async function sendAll(load: Load): Promise<void> {
  const { origin, pathname } = new URL(load.subscriberUrl);
  const pool = new Pool(origin, { connections: CONNECTIONS, pipelining: 1 });
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let index = 0; index < EVENTS / CONNECTIONS; index += 1) {
        const { headers, body } = encodeBinary(event);
        await new Promise<void>((resolve, reject) => {
          pool.dispatch(
            { path: pathname, method: 'POST', headers, body: body ?? null },
            {
              onResponseStart() {},
              onResponseData() {},
              onResponseEnd: () => resolve(),
              onResponseError: (_controller, error) => reject(error),
              onRequestStart() {},
            },
          );
        });
      }
    }),
  );
  await pool.close();
  // What was sent here is not to be counted as delivered by a bus.
  await load.delivered(0);
}
