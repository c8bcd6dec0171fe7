import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fastify from 'fastify';
import { Pool } from 'undici';

import { makeEvent } from '@millrace/event/event';
import { decodeMessage, encodeBinary } from '@millrace/event/http';
import { openSqliteStore } from '@millrace/bus/log/sqlite/store';

import { startBus } from '../support/bus.ts';
import { CONNECTIONS, EVENTS, SIZE } from './subject.ts';
import type { SubjectKind } from './subject.ts';

type Message =
  | { kind: SubjectKind; subscriberUrl: string; triggers: number }
  | { begin: true }
  | { end: true }
  | { close: true };

interface Measured {
  readonly url: string;
  /** What it does by itself; the others are fed from outside. */
  run?(): Promise<void>;
  close(): Promise<void>;
}

const event = makeEvent(
  { specversion: '1.0', id: '1', source: '/bench', type: 'com.example.bench', datacontenttype: 'application/json' },
  Buffer.from(JSON.stringify({ text: 'x'.repeat(SIZE - 11) })),
);

let subject: Measured;
let before: NodeJS.CpuUsage;

process.on('message', (message: Message) => {
  void handle(message).then((answer) => {
    if (answer !== undefined) process.send!(answer);
  });
});

async function handle(message: Message): Promise<unknown> {
  if ('kind' in message) {
    subject = await SUBJECTS[message.kind](message);
    return subject.url;
  }
  if ('begin' in message) {
    before = process.cpuUsage();
    return 'begun';
  }
  if ('end' in message) {
    await subject.run?.();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / EVENTS;
  }
  await subject.close();
  process.disconnect();
  return undefined;
}

const SUBJECTS: Record<SubjectKind, (options: { subscriberUrl: string; triggers: number }) => Promise<Measured>> = {
  async door() {
    const server = fastify();
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    server.post('/*', (incoming, reply) => {
      decodeMessage(incoming.raw.rawHeaders, incoming.body as Buffer);
      return reply.code(202).send();
    });
    await server.listen({ host: '127.0.0.1', port: 0 });
    const { port } = server.server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}/default/default`, close: () => server.close() };
  },

  async append() {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
    const store = await openSqliteStore(folder);
    return {
      url: '',
      run: () =>
        concurrently(async () => void (await store.log.append([{ topic: 'bench', event, arrivedAt: 0, hops: 0 }]))),
      async close() {
        await store.close();
        rmSync(folder, { recursive: true });
      },
    };
  },

  async send({ subscriberUrl }) {
    const { origin, pathname } = new URL(subscriberUrl);
    const pool = new Pool(origin, { connections: CONNECTIONS, pipelining: 1 });
    const send = () =>
      new Promise<void>((resolve, reject) => {
        const { headers, body } = encodeBinary(event);
        pool.dispatch(
          { path: pathname, method: 'POST', headers, body: body ?? null },
          {
            onRequestStart() {},
            onResponseStart() {},
            onResponseData() {},
            onResponseEnd: () => resolve(),
            onResponseError: (_controller, error) => reject(error),
          },
        );
      });
    return { url: '', run: () => concurrently(send), close: () => pool.close() };
  },

  async bus({ subscriberUrl, triggers }) {
    const bus = await startBus();
    const trigger = (name: string, type: string) => `
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: ${name} }
spec:
  broker: default
  filters: [{ exact: { type: ${type} } }]
  subscriber: { uri: "${subscriberUrl}" }
`;
    const others = Array.from({ length: triggers - 1 }, (_, index) =>
      trigger(`other-${index}`, `com.example.other-${index}`),
    );
    await bus.apply([trigger('wanted', 'com.example.bench'), ...others].join('---'));
    return { url: `${bus.url}/default/default`, close: async () => bus[Symbol.asyncDispose]() };
  },
};

/** As many at once as the load has connections, each waiting for its own. */
async function concurrently(work: () => Promise<void>): Promise<void> {
  const worker = async () => {
    for (let index = 0; index < EVENTS / CONNECTIONS; index += 1) await work();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
}
