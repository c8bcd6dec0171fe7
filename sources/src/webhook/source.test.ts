import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';

import type { CloudEvent } from '@millrace/event/event';
import type { WebResponse } from '@millrace/event/source';
import { Webhook } from 'standardwebhooks';

import { createCollector } from '../collect.ts';
import type { Collector } from '../collect.ts';
import { webhookSource } from './source.ts';
import type { WebhookSourceOptions } from './source.ts';

const NOW = Date.parse('2026-01-31T12:00:00Z');
const SECRET = `whsec_${Buffer.from('canary-canary-canary-canary').toString('base64')}`;

function start(changes: Partial<WebhookSourceOptions> = {}, collector = createCollector()) {
  const options = {
    namespace: 'ns',
    name: 'hook',
    path: '/hook',
    event: {},
    extensions: {},
    now: () => NOW,
    ...changes,
  };
  const source = webhookSource(options, collector.outlet, collector.report);
  const send = (body: string | Buffer = '', headers: Record<string, string> = {}, method = 'POST', url = '/hook') =>
    source.receive!({ method, url, rawHeaders: Object.entries(headers).flat(), body: Buffer.from(body as string) });
  return { source, send, collector };
}

const JSON_TYPE = { 'Content-Type': 'application/json' };
const CE = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' };
const text = ({ data }: CloudEvent) => data && Buffer.from(data).toString();
const detail = (answer: WebResponse) => (answer.body as { detail: string }).detail;

function signed(body: string, id = 'msg_1') {
  const signature = new Webhook(SECRET).sign(id, new Date(NOW), body);
  return { 'webhook-id': id, 'webhook-timestamp': String(NOW / 1000), 'webhook-signature': signature };
}

const VERIFY = { kind: 'standard-webhooks', secrets: [SECRET], toleranceSeconds: 300 } as const;

/** A collector whose outlet holds each emit until it is told how it ends. */
function held() {
  const emits: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const collector = createCollector(() => new Promise<void>((resolve, reject) => emits.push({ resolve, reject })));
  return { collector, emits };
}

describe('a webhook', () => {
  test('answers 202 with an event of the raw bytes and the defaults', async () => {
    const { send, collector } = start();
    const body = '{ "a" : 1 }\n';
    assert.deepEqual(await send(body, JSON_TYPE), { status: 202 });
    const [event] = collector.events as [CloudEvent];
    assert.match(event.id, /^[\da-f]{8}-[\da-f]{4}-4/);
    assert.equal(event.type, 'dev.millrace.webhook');
    assert.equal(event.source, '/apis/v1/namespaces/ns/webhooksources/hook');
    assert.equal(event.subject, undefined);
    assert.equal(event.time, '2026-01-31T12:00:00.000Z');
    assert.equal(event.datacontenttype, 'application/json');
    assert.equal(text(event), body);
  });

  test('answers only when the event is durable', async () => {
    const { collector, emits } = held();
    const { send } = start({}, collector);
    let answered = false;
    const answer = send('x').then((response) => {
      answered = true;
      return response;
    });
    await new Promise(setImmediate);
    assert.equal(answered, false);
    emits[0]!.resolve();
    assert.equal((await answer).status, 202);
  });

  test('fills templates from headers, query and body', async () => {
    const { send, collector } = start({
      event: {
        type: 'com.shop.{body.kind}',
        source: '/shop/{query.region}',
        subject: '{body.lines.0.sku}',
        id: '{headers.x-request}',
        extensions: { tenant: '{headers.x-tenant}', absent: '{body.nothing}' },
      },
      extensions: { team: 'blue' },
    });
    const body = '{"kind":"order","lines":[{"sku":"a-1"}]}';
    await send(body, { ...JSON_TYPE, 'X-Request': 'r1', 'X-Tenant': 'acme' }, 'POST', '/hook?region=eu');
    const [event] = collector.events as [CloudEvent];
    assert.deepEqual(
      [event.type, event.source, event.subject, event.id, { ...event.extensions }],
      ['com.shop.order', '/shop/eu', 'a-1', 'r1', { tenant: 'acme', team: 'blue' }],
    );
  });

  test('takes forms, text and nothing at all, byte for byte', async () => {
    const { send, collector } = start({ event: { subject: '{body.user}' } });
    await send('user=ann&x=1', { 'Content-Type': 'application/x-www-form-urlencoded' });
    await send(Buffer.from([0, 255]), { 'Content-Type': 'application/octet-stream' });
    await send();
    const [form, binary, empty] = collector.events as [CloudEvent, CloudEvent, CloudEvent];
    assert.deepEqual([form.subject, text(form)], ['ann', 'user=ann&x=1']);
    assert.deepEqual([...binary.data!], [0, 255]);
    assert.deepEqual([empty.data, empty.datacontenttype], [undefined, undefined]);
  });

  test('names the attribute whose template came out empty or malformed', async () => {
    const { send, collector } = start({ event: { type: '{body.kind}', source: '{query.source}' } });
    const empty = await send('{}', JSON_TYPE, 'POST', '/hook?source=/s');
    assert.deepEqual([empty.status, empty.headers], [400, { 'content-type': 'application/problem+json' }]);
    assert.match(detail(empty), /^type: expected text from its template/);
    assert.match(
      detail(await send('{"kind":"a"}', JSON_TYPE, 'POST', '/hook?source=a%20b')),
      /^source: expected a URI/,
    );
    assert.match(detail(await send('{"kind":"a\\u0000"}', JSON_TYPE, 'POST', '/hook?source=/s')), /^type: expected/);
    assert.match(detail(await send('x', { 'Content-Type': 'text' }, 'POST', '/?source=/s')), /^type: expected/);
    assert.equal(collector.events.length, 0);
  });

  test('passes events as they are, with the extensions over them', async () => {
    const { send, collector } = start({ event: { type: 'never', id: '{body.id}' }, extensions: { team: 'blue' } });
    const structured = '{"specversion":"1.0","id":"2","source":"/s","type":"t","team":"red"}';
    await send('data', { ...CE, 'Content-Type': 'text/plain' });
    await send(structured, { 'Content-Type': 'application/cloudevents+json' });
    await send(`[${structured},${structured}]`, { 'Content-Type': 'application/cloudevents-batch+json' });
    assert.deepEqual(
      collector.events.map(({ id, type, extensions }) => [id, type, extensions['team']]),
      ['1', '2', '2', '2'].map((id) => [id, 't', 'blue']),
    );
    assert.deepEqual(collector.chunks, [1, 1, 2]);
    const malformed = await send('data', { ...CE, 'ce-time': 'lunch' });
    assert.deepEqual([malformed.status, detail(malformed).slice(0, 5)], [400, 'time:']);
    assert.equal((await send('x', { 'Content-Type': 'application/cloudevents+avro' })).status, 415);
  });

  test('says which template cannot be read, and where', () => {
    const { collector } = start({ event: { extensions: { tenant: 'a}' } } });
    assert.equal(
      collector.statuses[0]?.message,
      'event.extensions.tenant: expected "}}" for a brace, or a "{" before it at character 2, got "a}"',
    );
  });

  test('takes only the content types that it is told, whatever their parameters and case', async () => {
    const { send, collector } = start({ contentTypes: ['application/json', 'text/plain'] });
    for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'text/plain ;format=flowed'])
      assert.equal((await send('{}', { 'Content-Type': type })).status, 202, type);
    assert.equal(collector.events.length, 3);
    for (const type of ['application/xml', 'application/json, text/xml', 'application/jsonp', ''])
      assert.equal((await send('{}', { 'Content-Type': type })).status, 415, type);
    const structured = '{"specversion":"1.0","id":"2","source":"/s","type":"t"}';
    assert.equal((await send(structured, { 'Content-Type': 'application/cloudevents+json' })).status, 415);
    assert.equal((await send()).status, 415);
    assert.equal(collector.events.length, 3);
  });

  test('names the content types that it takes, to strangers too', async () => {
    const { send } = start({ contentTypes: ['application/json', 'text/plain'], verify: VERIFY });
    assert.deepEqual(await send('<a/>', { 'Content-Type': 'text/xml' }), {
      status: 415,
      headers: { 'content-type': 'application/problem+json', accept: 'application/json, text/plain' },
      body: {
        title: 'Unsupported media type',
        status: 415,
        detail: 'expected a content-type of application/json, text/plain, got "text/xml"',
      },
    });
    assert.match(detail(await send('x')), /got none$/);
    assert.equal((await send('x', { 'Content-Type': 'text/plain' })).status, 401);
  });

  test('asks the sender to come again when the event is not taken', async () => {
    const failures: [error: unknown, status: number, retryAfter: string | undefined][] = [
      [new Error('canary of the inside'), 503, '5'],
      [Object.assign(new Error('canary'), { status: 507 }), 507, '5'],
      [Object.assign(new Error('the event is too large'), { status: 413 }), 413, undefined],
      [Object.assign(new Error('odd'), { status: 200 }), 503, '5'],
      [undefined, 503, '5'],
    ];
    for (const [error, status, retryAfter] of failures) {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an outlet may reject with anything
      const { send } = start(
        {},
        createCollector(() => Promise.reject(error)),
      );
      const answer = await send('x');
      assert.equal(answer.status, status);
      assert.equal(answer.headers?.['retry-after'], retryAfter);
      assert.doesNotMatch(JSON.stringify(answer), /canary/);
    }
  });

  test('answers the handshake of CloudEvents senders, and 405 to other methods', async () => {
    const { send, collector } = start({ verify: VERIFY });
    assert.deepEqual(
      await send('', { 'WebHook-Request-Origin': 'shop.example', 'WebHook-Request-Rate': '9' }, 'OPTIONS'),
      {
        status: 200,
        headers: { allow: 'POST, OPTIONS', 'webhook-allowed-origin': 'shop.example', 'webhook-allowed-rate': '*' },
      },
    );
    assert.deepEqual(await send('', {}, 'OPTIONS'), { status: 200, headers: { allow: 'POST, OPTIONS' } });
    const answer = await send('', {}, 'GET');
    assert.deepEqual([answer.status, answer.headers?.['allow']], [405, 'POST, OPTIONS']);
    assert.equal(collector.events.length, 0);
  });

  test('a drain waits for what is being taken and refuses the rest', async () => {
    const { collector, emits } = held();
    const { source, send } = start({}, collector);
    const first = send('1');
    let drained = false;
    const drain = source.drain().then(() => (drained = true));
    const late = await send('2');
    assert.deepEqual([late.status, late.headers?.['retry-after']], [503, '5']);
    assert.equal(drained, false);
    emits[0]!.resolve();
    assert.equal((await first).status, 202);
    await drain;
    await source.drain();
  });

  test('tells what is wrong with its options, and takes nothing until it is mended', async () => {
    for (const [changes, reason] of [
      [{ event: { type: '{nonsense}' } }, 'InvalidTemplate'],
      [{ verify: { ...VERIFY, secrets: [] } }, 'InvalidSecret'],
      [{ verify: { ...VERIFY, secrets: ['whsec_canary!'] } }, 'InvalidSecret'],
    ] as const) {
      const { send, collector } = start(changes);
      assert.deepEqual([collector.statuses[0]?.ready, collector.statuses[0]?.reason], [false, reason]);
      const answer = await send('x');
      assert.equal(answer.status, 503);
      assert.doesNotMatch(JSON.stringify([answer, collector.statuses]), /canary/);
    }
    assert.deepEqual(start().collector.statuses, [{ ready: true, reason: 'Listening', message: 'takes POST /hook' }]);
  });
});

describe('a webhook that verifies signatures', () => {
  test('takes what is signed, under the id of its sender', async () => {
    const { send, collector } = start({ verify: VERIFY });
    assert.equal((await send('x', signed('x'))).status, 202);
    assert.equal(collector.events[0]?.id, 'msg_1');

    const github = start({ verify: { kind: 'github', secrets: ['s'] } });
    const signature = `sha256=${createHmac('sha256', 's').update('x').digest('hex')}`;
    await github.send('x', { 'X-Hub-Signature-256': signature, 'X-GitHub-Delivery': 'guid' });
    assert.equal(github.collector.events[0]?.id, 'guid');
  });

  test('answers 401 to the rest and says nothing of the secret', async () => {
    const { send, collector } = start({ verify: VERIFY });
    for (const headers of [{}, { ...signed('x'), 'webhook-signature': 'v1,AAAA' }, signed('y')]) {
      const answer = await send('x', headers);
      assert.equal(answer.status, 401);
      assert.equal(answer.headers?.['content-type'], 'application/problem+json');
      assert.doesNotMatch(JSON.stringify(answer), /canary|Y2FuYXJ5|whsec/);
    }
    assert.equal(collector.events.length, 0);
  });

  test('an event of a stranger is not taken either', async () => {
    const { send, collector } = start({ verify: VERIFY });
    assert.equal((await send('x', CE)).status, 401);
    assert.equal((await send('x', { ...CE, ...signed('x') })).status, 202);
    assert.equal(collector.events.length, 1);
  });

  test('a repetition is answered like the first and emitted once', async () => {
    const { send, collector } = start({ verify: VERIFY });
    assert.equal((await send('x', signed('x'))).status, 202);
    assert.equal((await send('x', signed('x'))).status, 202);
    assert.equal((await send('x', signed('x', 'msg_2'))).status, 202);
    assert.deepEqual(ids(collector), ['msg_1', 'msg_2']);
  });

  test('two at the same time are one event, and both wait for it', async () => {
    const { collector, emits } = held();
    const { send } = start({ verify: VERIFY }, collector);
    const answers = Promise.all([send('x', signed('x')), send('x', signed('x'))]);
    assert.equal(emits.length, 1);
    emits[0]!.resolve();
    assert.deepEqual(
      (await answers).map(({ status }) => status),
      [202, 202],
    );
    assert.deepEqual(ids(collector), ['msg_1']);
  });

  test('an id whose event was not durable is taken when it comes again', async () => {
    const { collector, emits } = held();
    const { send } = start({ verify: VERIFY }, collector);
    const failing = Promise.all([send('x', signed('x')), send('x', signed('x'))]);
    emits[0]!.reject(new Error('full'));
    assert.deepEqual(
      (await failing).map(({ status }) => status),
      [503, 503],
    );
    const again = send('x', signed('x'));
    emits[1]!.resolve();
    assert.equal((await again).status, 202);
    assert.deepEqual(ids(collector), ['msg_1']);
  });
});

function ids({ events }: Collector): string[] {
  return events.map(({ id }) => id);
}
