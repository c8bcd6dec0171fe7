import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

import { facts } from '../log/facts.ts';
import type { Accepted } from '../log/facts.ts';
import type { Entry } from '../log/log.ts';
import { sampleAttempt, sampleEntry } from './samples.ts';
import { startTraces } from './traces.ts';
import type { TraceOptions } from './traces.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SENDER = 'b7ad6b7169203331';

const NOWHERE = { endpoint: 'http://127.0.0.1:9/v1/traces', headers: {}, serviceName: 'mill' };

type Exporter = NonNullable<TraceOptions['exporter']>;
type ExportResult = Parameters<Parameters<Exporter['export']>[1]>[0];

interface Span {
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  status: { code?: number; message?: string };
  attributes: { key: string; value: Record<string, unknown> }[];
}

interface Posted {
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: { resourceSpans: { resource: { attributes: unknown[] }; scopeSpans: { spans: Span[] }[] }[] };
}

/** Tells facts to a listener whose collector is a real server, and returns what was posted there. */
async function posted(tell: () => void, options: Partial<TraceOptions> = {}, status = 200): Promise<Posted[]> {
  const requests: Posted[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      requests.push({ path: request.url, headers: request.headers, body: body as Posted['body'] });
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}/v1/traces`;
  const target = { endpoint, headers: { 'x-key': 'k' }, serviceName: 'mill', closeWithinMs: 60_000 };
  const traces = await startTraces({ ...target, ...options });
  try {
    tell();
    await traces.close();
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
  return requests;
}

async function spansOf(tell: () => void): Promise<Span[]> {
  const requests = await posted(tell);
  return requests.flatMap(({ body }) =>
    body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
  );
}

function parent(spanId: string, flags = '01'): { headers: Entry['headers'] } {
  return { headers: { traceparent: `00-${TRACE}-${spanId}-${flags}` } };
}

function accept(entry: Entry): void {
  facts.accepted.publish({ entries: [entry], duration: 4 } satisfies Accepted);
}

function attributesOf(span: Span | undefined): Record<string, unknown> {
  return Object.fromEntries(span?.attributes.map(({ key, value }) => [key, Object.values(value)[0]]) ?? []);
}

describe('traces', () => {
  test('go to the collector with its headers, under the name of the service', async () => {
    const [request] = await posted(() => accept(sampleEntry(parent(SENDER))));
    assert.equal(request?.path, '/v1/traces');
    assert.equal(request.headers['x-key'], 'k');
    assert.deepEqual(request.body.resourceSpans[0]?.resource.attributes, [
      { key: 'service.name', value: { stringValue: 'mill' } },
    ]);
  });

  test('hang the broker and the attempts under the span of the sender', async () => {
    const entry = sampleEntry(parent(SENDER), { subject: 's', datacontenttype: 'text/plain' });
    const spans = await spansOf(() => {
      accept(entry);
      facts.attempted.publish(sampleAttempt({}, entry, `00-${TRACE}-aaaaaaaaaaaaaaaa-01`));
    });
    assert.deepEqual(
      spans.map(({ name, kind, traceId, parentSpanId }) => ({ name, kind, traceId, parentSpanId })),
      [
        { name: 'broker:default.shop', kind: 2, traceId: TRACE, parentSpanId: SENDER },
        { name: 'trigger:mailer.shop', kind: 3, traceId: TRACE, parentSpanId: SENDER },
      ],
    );
    assert.equal(spans[1]?.spanId, 'aaaaaaaaaaaaaaaa');
    assert.match(spans[0]?.spanId ?? '', /^[\da-f]{16}$/);
    assert.notEqual(spans[0]?.spanId, SENDER);
    assert.deepEqual([spans[0]?.startTimeUnixNano, spans[0]?.endTimeUnixNano], ['1000000000', '1004000000']);
    assert.deepEqual([spans[1]?.startTimeUnixNano, spans[1]?.endTimeUnixNano], ['1020000000', '1080000000']);
    assert.deepEqual(attributesOf(spans[1]), {
      'messaging.system': 'knative',
      'messaging.operation.name': 'send',
      'messaging.destination.name': 'trigger:mailer.shop',
      'messaging.message_id': 'e-1',
      'cloudevents.specversion': '1.0',
      'cloudevents.type': 'order.placed',
      'cloudevents.source': '/orders',
      'cloudevents.subject': 's',
      'cloudevents.datacontenttype': 'text/plain',
      'millrace.position': 7,
      'millrace.attempt': 1,
      'millrace.stage': 'subscriber',
      'millrace.outcome': 'delivered',
      'http.response.status_code': 200,
    });
  });

  test('give the broker the span of a trace that was begun at the gate, and hang all under it', async () => {
    const begun = TRACE.slice(16);
    const entry = sampleEntry(parent(begun));
    const [broker, trigger] = await spansOf(() => {
      accept(entry);
      facts.attempted.publish(sampleAttempt({}, entry, `00-${TRACE}-aaaaaaaaaaaaaaaa-01`));
    });
    assert.equal(broker?.spanId, begun);
    assert.equal(broker.parentSpanId, undefined);
    assert.equal(trigger?.parentSpanId, begun);
  });

  test('make one tree of an event, its reply, and what became of that', async () => {
    const first = sampleEntry(parent(TRACE.slice(16)));
    const reply = sampleEntry({
      ...parent('aaaaaaaaaaaaaaa2'),
      position: 8,
      cause: { position: 7, route: 'trigger/shop/mailer' },
    });
    const spans = await spansOf(() => {
      accept(first);
      const failed = { outcome: 'retrying', status: 503 } as const;
      facts.attempted.publish(sampleAttempt(failed, first, `00-${TRACE}-aaaaaaaaaaaaaaa1-01`));
      accept(reply);
      facts.attempted.publish(sampleAttempt({ attempt: 2 }, first, `00-${TRACE}-aaaaaaaaaaaaaaa2-01`));
      const next = { route: 'trigger/shop/printer' };
      facts.attempted.publish(sampleAttempt(next, reply, `00-${TRACE}-bbbbbbbbbbbbbbb1-01`));
    });
    const depth = (span: Span): number => {
      const above = spans.find(({ spanId }) => spanId === span.parentSpanId);
      return above === undefined ? 0 : 1 + depth(above);
    };
    assert.deepEqual(
      spans.map((span) => `${depth(span)} ${span.name}`),
      ['0 broker:default.shop', '1 trigger:mailer.shop', '1 trigger:mailer.shop', '2 trigger:printer.shop'],
    );
    assert.deepEqual(new Set(spans.map(({ traceId }) => traceId)), new Set([TRACE]));
  });

  test('mark an attempt that failed, with the reason and without secrets', async () => {
    const failure = { destination: 'http://mail.shop/', message: 'no answer from http://a:b@mail.shop/?k=v' };
    const entry = sampleEntry(parent(SENDER));
    const [span] = await spansOf(() =>
      facts.attempted.publish(
        sampleAttempt({ outcome: 'parked', status: undefined, failure }, entry, `00-${TRACE}-aaaaaaaaaaaaaaaa-01`),
      ),
    );
    assert.deepEqual(span?.status, { code: 2, message: 'no answer from http://***@mail.shop/?k=***' });
    assert.equal(attributesOf(span)['error.type'], '_OTHER');
  });

  test('are not made of what nobody wants to trace, nor of ids that are none', async () => {
    const requests = await posted(() => {
      accept(sampleEntry());
      accept(sampleEntry(parent(SENDER, '00')));
      accept(sampleEntry(parent('0000000000000000')));
      accept(sampleEntry({ headers: { traceparent: 'nonsense' } }));
      facts.attempted.publish(sampleAttempt());
      facts.attempted.publish(sampleAttempt({}, sampleEntry(), 'nonsense'));
    });
    assert.deepEqual(requests, []);
  });

  test('cost spans, and nothing else, where the collector refuses them', async () => {
    const warned: unknown[] = [];
    const logger = { warn: (message: string) => warned.push(message) };
    const requests = await posted(() => accept(sampleEntry(parent(SENDER))), { logger }, 400);
    assert.equal(requests.length, 1);
    assert.deepEqual(warned, ['spans could not be sent to the collector']);
  });

  test('say once a minute that the collector takes nothing, and how many spans that cost', async () => {
    let now = 0;
    const warned: unknown[] = [];
    const refused = { code: 1, error: new Error('refused http://a:b@c') } as unknown as ExportResult;
    const traces = await startTraces({
      ...NOWHERE,
      exporter: { export: (_spans, done) => done(refused), shutdown: async () => {} },
      logger: { warn: (...said: unknown[]) => warned.push(said) },
      now: () => now,
    });
    // The processor sends a batch without waiting when it is full.
    const fillBatch = async (): Promise<void> => {
      for (let spans = 0; spans < 512; spans += 1) accept(sampleEntry(parent(SENDER)));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    };
    await fillBatch();
    await fillBatch();
    now = 60_000;
    await fillBatch();
    await traces.close();
    const said = (lost: number) => [
      'spans could not be sent to the collector',
      { endpoint: NOWHERE.endpoint, reason: 'refused http://***@c', lost },
    ];
    assert.deepEqual(warned, [said(512), said(1024)]);
  });

  test('wait for a collector that does not answer no longer than told', async () => {
    const exporter: Exporter = { export: () => {}, shutdown: async () => {} };
    const traces = await startTraces({ ...NOWHERE, exporter, closeWithinMs: 5 });
    accept(sampleEntry(parent(SENDER)));
    await traces.close();
    assert.equal(facts.accepted.hasSubscribers, false);
    assert.equal(facts.attempted.hasSubscribers, false);
  });

  test('load nothing until they are started', async () => {
    const script = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
      const count = () => loaded.filter((url) => url.includes('@opentelemetry')).length;
      const { startTraces, traceOptionsFrom } = await import(${JSON.stringify(import.meta.resolve('./traces.ts'))});
      traceOptionsFrom({});
      const before = count();
      const traces = await startTraces({ endpoint: 'http://127.0.0.1:9/', headers: {}, serviceName: 'mill' });
      await traces.close();
      console.log(JSON.stringify({ before, after: count() > 0 }));
    `;
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script]);
    assert.deepEqual(JSON.parse(stdout), { before: 0, after: true });
  });
});
