import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import * as fc from 'fast-check';

import { startBus } from '../support/bus.ts';
import { startClock } from '../support/clock.ts';
import { post } from '../support/events.ts';
import { trigger } from '../support/manifests.ts';
import { refusal, refused } from '../support/problem.ts';
import { exchange, postHead, startRawServer } from '../support/raw.ts';
import { startSubscriber } from '../support/subscriber.ts';

// Whatever comes: a precise refusal or the bytes kept; never a 500, never a crash.

const bus = await startBus();
after(() => bus[Symbol.asyncDispose]());
await bus.apply('');
const url = `${bus.url}/default/default`;

const send = (body: string | Uint8Array, contentType = 'application/cloudevents+json') =>
  fetch(url, { method: 'POST', headers: { 'content-type': contentType }, body: body as string });
const minimal = '"specversion":"1.0","id":"1","source":"/s","type":"t"';
const newest = () => bus.entries().at(-1)!.event;
const dataOf = () => Buffer.from(newest().data!).toString();

describe('names that JavaScript knows', () => {
  for (const name of ['constructor', 'tostring', 'hasownproperty', 'valueof', 'then']) {
    test(`${name} is an extension like any other`, async () => {
      assert.equal((await send(`{${minimal},"${name}":"structured"}`)).status, 202);
      assert.deepEqual({ ...newest().extensions }, { [name]: 'structured' });
      assert.equal((await post(url, { headers: { [`ce-${name}`]: 'binary' } })).status, 202);
      assert.deepEqual({ ...newest().extensions }, { [name]: 'binary' });
    });
  }

  test('__proto__ is no name of an attribute', async () => {
    assert.equal((await refused(send(`{${minimal},"__proto__":"x"}`), 400)).attribute, '__proto__');
    assert.equal((await refused(send(`{${minimal},"__proto__":{"id":"x"}}`), 400)).attribute, '__proto__');
    assert.equal((await refused(post(url, { headers: { 'ce-__proto__': 'x' } }), 400)).attribute, '__proto__');
  });

  test('in data they are bytes', async () => {
    assert.equal((await send(`{${minimal},"data":{"__proto__":{"polluted":1},"constructor":2}}`)).status, 202);
    assert.equal(dataOf(), '{"__proto__":{"polluted":1},"constructor":2}');
    assert.equal('polluted' in {}, false);
  });
});

describe('text that is none', () => {
  test('NUL and other controls are refused in attributes', async () => {
    for (const control of ['\\u0000', '\\u001f', '\\u007f', '\\u0085', '\\n']) {
      assert.equal((await refused(send(`{${minimal},"subject":"a${control}b"}`), 400)).attribute, 'subject');
    }
    assert.equal((await refused(post(url, { headers: { 'ce-subject': 'a%00b' } }), 400)).attribute, 'subject');
  });

  test('NUL is kept in data', async () => {
    assert.equal((await send(`{${minimal},"data":"a\\u0000b"}`)).status, 202);
    assert.equal(dataOf(), '"a\\u0000b"');
    assert.equal((await post(url, { data: 'a\u0000b', contentType: 'text/plain' })).status, 202);
    assert.equal(dataOf(), 'a\u0000b');
  });

  test('half a surrogate pair is refused in attributes, and kept in data', async () => {
    assert.equal((await refused(send(`{${minimal},"subject":"\\ud800"}`), 400)).attribute, 'subject');
    assert.equal((await send(`{${minimal},"data":"\\ud800"}`)).status, 202);
    assert.equal(dataOf(), '"\\ud800"');
  });

  test('UTF-16 is no encoding of an event, and as good as any of data', async () => {
    const utf16 = Buffer.from(`{${minimal}}`, 'utf16le');
    await refused(send(utf16), 400);
    await refused(send(utf16, 'application/cloudevents+json; charset=utf-16'), 415);
    const contentType = 'text/plain; charset="utf-16"';
    assert.equal((await post(url, { data: utf16, contentType })).status, 202);
    assert.deepEqual(Buffer.from(newest().data!), utf16);
    assert.equal(newest().datacontenttype, contentType);
  });

  test('bytes that are no UTF-8 are refused as JSON, and kept as data', async () => {
    const bytes = Buffer.from([0x7b, 0xff, 0xfe, 0x7d]);
    await refused(send(bytes), 400);
    assert.equal((await post(url, { data: bytes, contentType: 'application/json' })).status, 202);
    assert.deepEqual(Buffer.from(newest().data!), bytes);
  });
});

describe('JSON that parsers change', () => {
  for (const data of [
    '9007199254740993',
    '12345678901234567890.12345678901234567890',
    '1e400',
    '-0',
    '1.0',
    '{"a":1,"a":2}',
    '{ "b" : 1,\n\t"a":2 }',
    '"\\u0041\\/"',
    '0',
    'false',
    'null',
    '""',
  ]) {
    test(`data ${JSON.stringify(data)} is kept as it stands`, async () => {
      assert.equal((await send(`{${minimal},"data": ${data} }`)).status, 202);
      assert.equal(dataOf(), data);
      assert.equal((await post(url, { data })).status, 202);
      assert.equal(dataOf(), data);
    });
  }

  test('2^53+1 is no value of an attribute', async () => {
    assert.equal((await refused(send(`{${minimal},"ext":9007199254740993}`), 400)).attribute, 'ext');
  });

  test('a key that comes twice is refused, also when it comes escaped', async () => {
    assert.equal((await refused(send(`{${minimal},"i\\u0064":"2"}`), 400)).attribute, 'id');
    assert.equal((await refused(send(`{${minimal},"data":1,"data":2}`), 400)).attribute, 'data');
  });
});

describe('nesting as deep as the message is long', () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);

  test('is kept as data', async () => {
    assert.equal((await send(`{${minimal},"data":${deep}}`)).status, 202);
    assert.equal(dataOf(), deep);
  });
  const misplaced: Record<string, [body: string, contentType?: string]> = {
    'the event': [deep],
    'a required attribute': [`{"specversion":"1.0","id":${deep},"source":"/s","type":"t"}`],
    'an extension': [`{${minimal},"ext":${deep}}`],
    data_base64: [`{${minimal},"data_base64":${deep}}`],
    'an event of a batch': [`[${deep}]`, 'application/cloudevents-batch+json'],
    'a batch': [`{"a":${deep}}`, 'application/cloudevents-batch+json'],
  };
  for (const [where, [body, contentType]] of Object.entries(misplaced)) {
    test(`is refused as ${where}`, async () => {
      await refused(send(body, contentType), 400);
    });
  }
  test('is refused where it does not end', async () => {
    await refused(send('['.repeat(1_000_000)), 400);
    await refused(send('{"a":'.repeat(200_000)), 400);
  });
});

describe('headers', () => {
  const lines = (count: number, line: (n: number) => string) => Array.from({ length: count }, (_, n) => line(n));

  test('of 2,400 extensions are all kept', async () => {
    const { status } = await exchange(bus.url, `${postHead(undefined, ...lines(2_400, (n) => `ce-a${n}:${n}`))}\r\n`);
    assert.equal(status, 202);
    const { extensions } = newest();
    assert.equal(Object.keys(extensions).length, 2_400);
    assert.equal(extensions['a2399'], '2399');
  });

  test('that are too large together are 431', async () => {
    const { status, headers, body } = await exchange(
      bus.url,
      `${postHead(undefined, `ce-long: ${'x'.repeat(33_000)}`)}\r\n`,
    );
    refusal({ status, headers }, body, 431);
  });

  test('of 10,000 lines are 431, or end the connection', async () => {
    const before = bus.entries().length;
    const { status } = await exchange(bus.url, `${postHead(undefined, ...lines(10_000, (n) => `ce-a${n}: ${n}`))}\r\n`);
    assert.ok(status === 431 || status === 0, `${status}`);
    assert.equal(bus.entries().length, before);
  });

  const malformed: Record<string, string> = {
    'with a NUL': `${postHead(undefined, 'ce-subject: a\u0000b')}\r\n`,
    'without a colon': `${postHead(undefined, 'nonsense')}\r\n`,
    'with a space in a name': `${postHead(undefined, 'ce a: b')}\r\n`,
    'with two lengths': `${postHead(undefined, 'content-length: 1', 'content-length: 2')}\r\nxx`,
    'with a length and chunks': `${postHead(undefined, 'content-length: 1', 'transfer-encoding: chunked')}\r\n0\r\n\r\n`,
    'with a negative length': `${postHead(undefined, 'content-length: -1')}\r\n`,
    'of another protocol': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'of no protocol': '\u0016\u0003\u0001 hello\r\n\r\n',
    'with a method that nobody knows': 'FOO /default/default HTTP/1.1\r\nhost: broker\r\n\r\n',
  };
  for (const [what, bytes] of Object.entries(malformed)) {
    test(`${what} are 400`, async () => {
      const { status, headers, body } = await exchange(bus.url, bytes);
      refusal({ status, headers }, body, 400);
    });
  }

  test('that try to become those of the bus count for nothing', async () => {
    const headers = { 'millrace-hops': '-1', traceparent: 'nonsense', 'ce-validate': 'x', 'knative-x': 'y' };
    assert.equal((await post(url, { headers })).status, 202);
    assert.equal(newest().extensions['validate'], 'x');
    assert.equal((await post(url, { headers: { 'millrace-hops': '99999999999999999999' } })).status, 400);
  });
});

describe('a sender that is slow', () => {
  test('has less than a minute for its headers and its body', () => {
    const { headersTimeout, requestTimeout } = bus.bus.ingress.server;
    assert.ok(headersTimeout > 0 && headersTimeout <= 60_000, `${headersTimeout}`);
    assert.ok(requestTimeout >= headersTimeout && requestTimeout <= 60_000, `${requestTimeout}`);
  });

  for (const [what, bytes] of Object.entries({
    'in its headers': postHead(),
    'in its body': `${postHead(undefined, 'content-length: 10')}\r\nx`,
    'in the chunks of its body': `${postHead(undefined, 'transfer-encoding: chunked')}\r\n5\r\nx`,
  })) {
    test(`and stalls ${what} is answered 408`, async () => {
      await using hurried = await startBus();
      await hurried.apply('');
      const { server } = hurried.bus.ingress;
      server.headersTimeout = 100;
      server.requestTimeout = 200;
      const { status, headers, body } = await exchange(hurried.url, bytes);
      refusal({ status, headers }, body, 408);
      assert.equal(hurried.entries().length, 0);
    });
  }
});

test('no random message is ever answered with a 5xx', async () => {
  const header = fc.tuple(
    fc.constantFrom('ce-specversion', 'ce-id', 'ce-source', 'ce-type', 'ce-time', 'ce-x', 'content-type', 'accept'),
    fc.oneof(
      fc.constantFrom('1.0', '0.3', '', '%', '%ff', '"', 'application/cloudevents+json', 'application/cloudevents'),
      fc.string({ maxLength: 20, unit: 'grapheme-ascii' }),
    ),
  );
  const body = fc.oneof(
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.uint8Array({ maxLength: 100 }),
    fc
      .dictionary(fc.constantFrom('specversion', 'id', 'source', 'type', 'data', 'data_base64', 'x'), fc.jsonValue())
      .map((object) => JSON.stringify({ specversion: '1.0', id: '1', source: '/s', type: 't', ...object })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(header), body, async (headers, sent) => {
      const response = await fetch(url, { method: 'POST', headers: Object.fromEntries(headers), body: sent as string });
      await response.arrayBuffer();
      assert.ok(response.status === 202 || (response.status >= 400 && response.status < 500), `${response.status}`);
    }),
    { numRuns: 300 },
  );
});

describe('a subscriber', () => {
  const head = (status: string, ...lines: string[]) => `${[`HTTP/1.1 ${status}`, ...lines].join('\r\n')}\r\n\r\n`;

  const answers: Record<string, [bytes: string, status: number | undefined]> = {
    redirects: [head('307 Temporary Redirect', 'location: http://127.0.0.1:1/', 'content-length: 0'), 307],
    'answers what is no HTTP': ['SSH-2.0-OpenSSH_9.9\r\n', undefined],
    'ends the connection without a word': ['', undefined],
    'ends the connection within the headers': ['HTTP/1.1 200 OK\r\ncontent-le', undefined],
    'ends the connection within the body': [head('200 OK', 'content-length: 100') + 'x', undefined],
    'ends the connection within the chunks': [head('200 OK', 'transfer-encoding: chunked') + '5\r\nx', undefined],
    'answers chunks that are none': [head('200 OK', 'transfer-encoding: chunked') + 'nonsense', undefined],
    'answers headers without an end': [`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(100_000)}`, undefined],
    'answers a length that is none': [head('200 OK', 'content-length: many') + 'x', undefined],
    'answers a body that is no event': [head('200 OK', 'content-length: 2') + 'ok', 502],
    'answers an event that is malformed': [head('200 OK', 'ce-specversion: 9.9', 'content-length: 0'), 502],
    'answers an event without attributes': [head('200 OK', 'ce-specversion: 1.0', 'content-length: 0'), 502],
    'answers two ids': [
      head('200 OK', 'ce-specversion: 1.0', 'ce-id: 1', 'ce-id: 2', 'ce-source: s', 'ce-type: t', 'content-length: 0'),
      502,
    ],
    'answers a batch': [
      head('200 OK', 'content-type: application/cloudevents-batch+json', 'content-length: 2') + '[]',
      502,
    ],
    'answers deep nesting': [
      head('200 OK', 'content-type: application/cloudevents+json', 'content-length: 100000') + '['.repeat(100_000),
      502,
    ],
    'answers deep nesting that ends': [
      head('200 OK', 'content-type: application/cloudevents+json', 'content-length: 100000') +
        '['.repeat(50_000) +
        ']'.repeat(50_000),
      502,
    ],
  };
  for (const [what, [bytes, status]] of Object.entries(answers)) {
    test(`that ${what} has failed`, async () => {
      await using server = await startRawServer((socket) => socket.end(bytes, 'latin1'));
      await using fresh = await startBus();
      await fresh.apply(trigger('hostile', server.url, { delivery: { retry: 0 } }));
      assert.equal((await post(`${fresh.url}/default/default`, { data: 'x' })).status, 202);
      const [letter] = await fresh.deadLetters(1);
      assert.equal(letter!.failure.status, status);
      assert.notEqual(letter!.failure.message, '');
      assert.equal(server.requests, 1);
    });
  }

  for (const [what, bytes] of Object.entries({
    'that never answers': '',
    'whose headers never end': 'HTTP/1.1 200 OK\r\nx: y\r\n',
    'whose body never ends': head('200 OK', 'content-length: 10') + 'x',
    'that never goes beyond hints': head('103 Early Hints', 'link: x').repeat(3),
  })) {
    test(`${what} has failed when its time is over`, async () => {
      const answered = Promise.withResolvers<void>();
      await using server = await startRawServer((socket) => {
        if (bytes === '') answered.resolve();
        else socket.write(bytes, () => answered.resolve());
      });
      const clock = startClock();
      await using fresh = await startBus({ environment: clock });
      await fresh.apply(trigger('hangs', server.url, { delivery: { retry: 0, timeout: 'PT30S' } }));
      await post(`${fresh.url}/default/default`, {});
      await answered.promise;
      clock.advance(29_999);
      assert.equal(fresh.bus.dispatcher.route('trigger/default/hangs')!.inFlight, 1);
      clock.advance(1);
      const [letter] = await fresh.deadLetters(1);
      assert.equal(letter!.failure.status, undefined);
      assert.match(letter!.failure.message, /30000 ms/);
    });
  }

  const GIB = 1024 ** 3;
  for (const status of ['200 OK', '500 Internal Server Error']) {
    test(`that sends a gigabyte with ${status} is not listened to for long`, async () => {
      const block = Buffer.alloc(64 * 1024, 'x');
      const closed = Promise.withResolvers<number>();
      await using server = await startRawServer((socket) => {
        let sent = 0;
        const more = () => {
          while (!socket.destroyed && sent < GIB) {
            sent += block.length;
            if (!socket.write(block)) return;
          }
          socket.end();
        };
        socket.on('drain', more);
        socket.on('close', () => closed.resolve(sent));
        socket.write(head(status, `content-length: ${GIB}`));
        more();
      });
      await using fresh = await startBus();
      await fresh.apply(trigger('floods', server.url, { delivery: { retry: 0 } }));
      await post(`${fresh.url}/default/default`, {});
      const [letter] = await fresh.deadLetters(1);
      assert.equal(letter!.failure.status, status.startsWith('200') ? undefined : 500);
      assert.ok((letter!.failure.data?.length ?? 0) <= 1_024);
      // What the sockets hold on both sides comes on top of what was read.
      assert.ok((await closed.promise) < 64 * 1024 * 1024);
    });
  }

  test('that was hostile is followed by others as ever', async () => {
    await using bad = await startRawServer((socket) => socket.end('nonsense\r\n'));
    await using good = await startSubscriber();
    await using fresh = await startBus();
    await fresh.apply(trigger('bad', bad.url, { delivery: { retry: 0 } }) + trigger('good', good.url));
    for (const id of ['1', '2', '3']) await post(`${fresh.url}/default/default`, { id });
    const got = await good.count(3);
    assert.deepEqual(got.map(({ event }) => event!.id).toSorted(), ['1', '2', '3']);
    await fresh.deadLetters(3);
  });
});
