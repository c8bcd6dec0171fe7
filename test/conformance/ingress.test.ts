import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { startBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { broker, trigger } from '../support/manifests.ts';
import { refused } from '../support/problem.ts';
import { exchange, postHead } from '../support/raw.ts';
import { startSubscriber } from '../support/subscriber.ts';

// knative.md §2.1 and §11.1 "Ingress", with the decisions of DESIGN §3: durable 202, batches, problem+json.

const bus = await startBus();
after(() => bus[Symbol.asyncDispose]());
await bus.apply('');
const url = `${bus.url}/default/default`;

const structured = (event: unknown, headers: Record<string, string> = {}, to = url) =>
  fetch(to, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json', ...headers },
    body: typeof event === 'string' ? event : JSON.stringify(event),
  });
const batch = (events: unknown, to = url) =>
  structured(events, { 'content-type': 'application/cloudevents-batch+json' }, to);
const minimal = { specversion: '1.0', id: '1', source: '/s', type: 't' };
const taken = () => bus.entries().length;

describe('an event is taken', () => {
  for (const specversion of ['1.0', '0.3']) {
    test(`in binary mode with ce-specversion ${specversion}, which it keeps`, async () => {
      const response = await post(url, { id: `binary-${specversion}`, headers: { 'ce-specversion': specversion } });
      assert.equal(response.status, 202);
      assert.equal(await response.text(), '');
      assert.equal(bus.entries().at(-1)!.event.specversion, specversion);
    });

    test(`in structured mode with specversion ${specversion}, which it keeps`, async () => {
      assert.equal((await structured({ ...minimal, specversion })).status, 202);
      assert.equal(bus.entries().at(-1)!.event.specversion, specversion);
    });
  }

  for (const contentType of ['application/vnd.apache.thrift.binary', 'application/xml', 'application/json']) {
    test(`in binary mode with the content type ${contentType}`, async () => {
      assert.equal((await post(url, { data: '{}', contentType })).status, 202);
      const { event } = bus.entries().at(-1)!;
      assert.equal(event.datacontenttype, contentType);
      assert.equal(Buffer.from(event.data!).toString(), '{}');
    });
  }

  for (const contentType of [
    'application/cloudevents+json; charset=UTF-8',
    'APPLICATION/CloudEvents+JSON',
    'application/cloudevents+json;charset="utf-8"',
  ]) {
    test(`in structured mode with the content type ${contentType}`, async () => {
      assert.equal((await structured(minimal, { 'content-type': contentType })).status, 202);
    });
  }

  test('with nothing but attributes: no body, no content type', async () => {
    assert.equal((await post(url, { id: 'bare' })).status, 202);
    const { event } = bus.entries().at(-1)!;
    assert.equal(event.data, undefined);
    assert.equal(event.datacontenttype, undefined);
  });

  test('with percent-encoded attributes, decoded as the HTTP binding says', async () => {
    assert.equal((await post(url, { headers: { 'ce-subject': 'Euro%20%E2%82%AC%20%F0%9F%98%80' } })).status, 202);
    assert.equal(bus.entries().at(-1)!.event.subject, 'Euro € 😀');
  });

  test('with extension names in upper case in headers, which have no case', async () => {
    assert.equal((await post(url, { headers: { 'CE-MyExtension': 'x' } })).status, 202);
    assert.equal(bus.entries().at(-1)!.event.extensions['myextension'], 'x');
  });

  test('structured, though it has ce- headers too, which then count for nothing', async () => {
    const headers = { 'ce-specversion': '1.0', 'ce-id': 'header', 'ce-source': '/header', 'ce-type': 'header' };
    assert.equal((await structured({ ...minimal, id: 'body' }, headers)).status, 202);
    assert.equal(bus.entries().at(-1)!.event.id, 'body');
  });

  test('at the path of the broker with a slash behind it', async () => {
    assert.equal((await post(`${url}/`, {})).status, 202);
  });

  test('with optional attributes that are null, which are absent', async () => {
    const nothing = { datacontenttype: null, dataschema: null, subject: null, time: null, myextension: null };
    assert.equal((await structured({ ...minimal, ...nothing })).status, 202);
    const { event } = bus.entries().at(-1)!;
    assert.equal(event.time, undefined);
    assert.deepEqual({ ...event.extensions }, {});
  });

  test('by every broker at its own path', async () => {
    await using two = await startBus();
    await two.apply(broker(undefined, { name: 'orders', namespace: 'shop' }));
    assert.equal((await post(`${two.url}/shop/orders`, {})).status, 202);
    assert.equal(two.entries().at(-1)!.topic, 'broker/shop/orders');
    await refused(post(`${two.url}/default/orders`, {}), 404);
  });

  test('and is durable when the 202 comes: it is there after the end of the process', async () => {
    await using first = await startBus();
    await first.apply('');
    assert.equal((await post(`${first.url}/default/default`, { id: 'kept', data: '"x"' })).status, 202);
    await using second = await first.restart();
    assert.deepEqual(
      second.entries().map(({ event }) => [event.id, Buffer.from(event.data!).toString()]),
      [['kept', '"x"']],
    );
  });

  test('without waiting for subscribers', async () => {
    await using subscriber = await startSubscriber(() => ({ hang: true }));
    await using other = await startBus();
    await other.apply(trigger('hangs', subscriber.url, { delivery: { timeout: 'PT1S' } }));
    assert.equal((await post(`${other.url}/default/default`, {})).status, 202);
  });
});

describe('a malformed event is refused with 400, and told what is wrong', () => {
  const binary: Record<string, [headers: Record<string, string>, attribute: string]> = {
    'an unknown specversion': [{ 'ce-specversion': '19.0' }, 'specversion'],
    'an empty specversion': [{ 'ce-specversion': '' }, 'specversion'],
    'an empty id': [{ 'ce-id': '' }, 'id'],
    'a blank id': [{ 'ce-id': '%20' }, 'id'],
    'a blank type': [{ 'ce-type': '%20' }, 'type'],
    'an empty source': [{ 'ce-source': '' }, 'source'],
    'a source that is no URI-reference': [{ 'ce-source': 'a%20b' }, 'source'],
    'an empty subject': [{ 'ce-subject': '' }, 'subject'],
    'a time that is none': [{ 'ce-time': 'lunchtime' }, 'time'],
    'a day that does not exist': [{ 'ce-time': '2026-02-30T00:00:00Z' }, 'time'],
    'a dataschema that is not absolute': [{ 'ce-dataschema': '/relative' }, 'dataschema'],
    'a datacontenttype that is no media type': [{ 'content-type': 'xyz' }, 'datacontenttype'],
    'an extension with a hyphen in its name': [{ 'ce-my-extension': 'x' }, 'my-extension'],
    'an extension with an underscore in its name': [{ 'ce-my_extension': 'x' }, 'my_extension'],
    'an attribute named data': [{ 'ce-data': 'x' }, 'data'],
  };
  for (const [what, [headers, attribute]] of Object.entries(binary)) {
    test(`binary: ${what}`, async () => {
      const before = taken();
      const problem = await refused(post(url, { headers }), 400);
      assert.equal(problem.attribute, attribute);
      assert.notEqual(problem.expected, undefined);
      assert.notEqual(problem.got, undefined);
      assert.equal(taken(), before);
    });
  }

  for (const name of ['id', 'source', 'type']) {
    test(`binary: no ${name}`, async () => {
      const headers = Object.fromEntries(
        Object.entries({ specversion: '1.0', id: '1', source: '/s', type: 't' })
          .filter(([attribute]) => attribute !== name)
          .map(([attribute, value]) => [`ce-${attribute}`, value]),
      );
      const problem = await refused(fetch(url, { method: 'POST', headers, body: 'x' }), 400);
      assert.equal(problem.attribute, name);
      assert.equal(problem.got, 'nothing');
    });
  }

  test('no ce-specversion: it is no event at all', async () => {
    const headers = { 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't', 'content-type': 'application/json' };
    const problem = await refused(fetch(url, { method: 'POST', headers, body: '{}' }), 400);
    assert.equal(problem.attribute, 'ce-specversion');
  });

  test('nothing at all', async () => {
    await refused(fetch(url, { method: 'POST' }), 400);
  });

  test('one attribute in two headers', async () => {
    const response = await exchange(bus.url, `${postHead(undefined, 'ce-id: 2')}\r\n`);
    assert.equal(response.status, 400);
    assert.equal((JSON.parse(response.body) as { attribute: string }).attribute, 'id');
  });

  const documents: Record<string, [event: unknown, attribute: string]> = {
    'a body that is no JSON': ['{"specversion"', 'body'],
    'no body': ['', 'body'],
    'a body that is a list': [[minimal], 'body'],
    'a body that is null': ['null', 'body'],
    'no specversion': [{ id: '1', source: '/s', type: 't' }, 'specversion'],
    'no id': [{ ...minimal, id: undefined }, 'id'],
    'an id that is a number': [{ ...minimal, id: 25 }, 'id'],
    'a time that is a number': [{ ...minimal, time: 25 }, 'time'],
    'an extension that is an object': [{ ...minimal, ext: {} }, 'ext'],
    'an extension that is a list': [{ ...minimal, ext: [] }, 'ext'],
    'an extension that is a fraction': [{ ...minimal, ext: 1.5 }, 'ext'],
    'an extension beyond 32 bits': [{ ...minimal, ext: 2 ** 31 }, 'ext'],
    'an extension name in upper case': [{ ...minimal, Ext: 'x' }, 'Ext'],
    'the same attribute twice': ['{"specversion":"1.0","id":"1","id":"1","source":"/s","type":"t"}', 'id'],
    'specversion twice': ['{"specversion":"1.0","specversion":"1.0","id":"1","source":"/s","type":"t"}', 'specversion'],
    'data and data_base64': [{ ...minimal, data: 'x', data_base64: 'eA==' }, 'data'],
    'data_base64 that is none': [{ ...minimal, data_base64: '***' }, 'data_base64'],
  };
  for (const [what, [event, attribute]] of Object.entries(documents)) {
    test(`structured: ${what}`, async () => {
      const before = taken();
      const problem = await refused(structured(event), 400);
      assert.equal(problem.attribute, attribute);
      assert.equal(taken(), before);
    });
  }

  test('before its broker is looked for', async () => {
    await refused(post(`${bus.url}/default/nobody`, { headers: { 'ce-id': '' } }), 400);
  });

  test('a format that nobody here reads: 415', async () => {
    await refused(structured('<event/>', { 'content-type': 'application/cloudevents+xml' }), 415);
  });

  test('with an empty body, if the sender accepts no JSON', async () => {
    const response = await post(url, { headers: { 'ce-id': '', accept: 'text/plain' } });
    assert.equal(response.status, 400);
    assert.equal(await response.text(), '');
  });

  for (const accept of ['application/json', 'application/problem+json', '*/*', 'text/html, application/*;q=0.1']) {
    test(`with a body for a sender that accepts ${accept}`, async () => {
      await refused(post(url, { headers: { 'ce-id': '', accept } }), 400);
    });
  }
});

describe('a path', () => {
  test('that is the root is 404', async () => {
    await refused(post(bus.url, {}), 404);
  });
  for (const path of ['/default', '/default/default/more', '//default', '/default//default']) {
    test(`${path} is no path of a broker: 400`, async () => {
      await refused(post(bus.url + path, {}), 400);
    });
  }
  for (const path of ['/default/nobody', '/nowhere/default', '/__proto__/constructor', '/default/%64efault%00']) {
    test(`${path} leads to no broker: 404`, async () => {
      await refused(post(bus.url + path, {}), 404);
    });
  }
  test('that is longer than anything is refused and does no harm', async () => {
    const { status } = await post(`${bus.url}/default/${'x'.repeat(20_000)}`, {});
    assert.ok(status >= 400 && status < 500, `${status}`);
  });
  test('with broken percent-encoding is refused and does no harm', async () => {
    const { status } = await exchange(bus.url, `${postHead('/default/%E0%A4%A')}\r\n`);
    assert.ok(status === 400 || status === 404, `${status}`);
  });
});

describe('a method', () => {
  test('OPTIONS tells what is allowed, to whom and how often', async () => {
    const response = await fetch(url, { method: 'OPTIONS', headers: { 'webhook-request-origin': 'example.com' } });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('allow'), 'POST, OPTIONS');
    assert.equal(response.headers.get('webhook-allowed-origin'), '*');
    assert.equal(response.headers.get('webhook-allowed-rate'), '*');
    assert.equal(await response.text(), '');
  });
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'PROPFIND']) {
    test(`${method} is 405, and told which are allowed`, async () => {
      const response = await fetch(url, { method });
      assert.equal(response.headers.get('allow'), 'POST, OPTIONS');
      await refused(response, 405);
    });
  }
  test('HEAD is 405 without a body', async () => {
    const response = await fetch(url, { method: 'HEAD' });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get('allow'), 'POST, OPTIONS');
  });
});

describe('a batch', () => {
  const event = (id: string, more = {}) => ({ ...minimal, id, ...more });

  test('is taken, all of it and in its order', async () => {
    const before = taken();
    assert.equal((await batch([event('b1', { data: 1 }), event('b2'), event('b3')])).status, 202);
    const ids = bus
      .entries()
      .slice(before)
      .map((entry) => entry.event.id);
    assert.deepEqual(ids, ['b1', 'b2', 'b3']);
  });

  test('of nothing is taken too', async () => {
    const before = taken();
    assert.equal((await batch([])).status, 202);
    assert.equal(taken(), before);
  });

  test('with one bad event is refused whole, and told which', async () => {
    const before = taken();
    const problem = await refused(batch([event('c1'), event('c2', { source: undefined }), event('c3')]), 400);
    assert.equal(problem.attribute, '[1].source');
    assert.equal(taken(), before);
  });

  for (const [what, body] of Object.entries({ 'an object': minimal, 'a text': '"x"', 'a list of texts': ['x'] })) {
    test(`that is ${what} is refused`, async () => {
      await refused(batch(body), 400);
    });
  }
});

describe('what is too large', () => {
  const MIB = 1024 * 1024;

  test('is more than 1 MiB of data, unless the flag says otherwise', async () => {
    const fits = new Uint8Array(MIB);
    assert.equal((await post(url, { data: fits, contentType: 'application/octet-stream' })).status, 202);
    const before = taken();
    await refused(post(url, { data: new Uint8Array(MIB + 1), contentType: 'application/octet-stream' }), 413);
    await refused(post(url, { data: new Uint8Array(3 * MIB), contentType: 'application/octet-stream' }), 413);
    assert.equal(taken(), before);
  });

  test('is measured in data, however long its base64 is', async () => {
    const event = (size: number) => ({ ...minimal, data_base64: Buffer.alloc(size).toString('base64') });
    assert.equal((await structured(event(MIB))).status, 202);
    await refused(structured(event(MIB + 1)), 413);
  });

  test('is measured in data, however long its escaped text is', async () => {
    const event = (size: number) => ({ ...minimal, datacontenttype: 'text/plain', data: '\n'.repeat(size) });
    assert.equal((await structured(event(MIB))).status, 202);
  });

  test('is told from the length alone, and from the bytes of a body without a length', async () => {
    const long = await exchange(bus.url, `${postHead(undefined, `content-length: ${1024 ** 3}`)}\r\n`);
    assert.equal(long.status, 413);
    const chunk = `${MIB.toString(16)}\r\n${'x'.repeat(MIB)}\r\n`;
    const chunked = await exchange(
      bus.url,
      `${postHead(undefined, 'transfer-encoding: chunked')}\r\n${chunk.repeat(3)}`,
    );
    assert.equal(chunked.status, 413);
  });

  test('is each event of a batch, not the batch', async () => {
    await using small = await startBus({ maxEventBytes: 10_000 });
    await small.apply('');
    const to = `${small.url}/default/default`;
    const event = (size: number) => ({ ...minimal, data: 'x'.repeat(size - 2) });
    assert.equal(
      (
        await batch(
          Array.from({ length: 20 }, () => event(10_000)),
          to,
        )
      ).status,
      202,
    );
    await refused(batch([event(10), event(10_001)], to), 413);
    assert.equal(small.entries().length, 20);
  });

  test('by the flag, says the number', async () => {
    await using small = await startBus({ maxEventBytes: 10 });
    await small.apply('');
    const problem = await refused(post(`${small.url}/default/default`, { data: 'x'.repeat(11) }), 413);
    assert.match(problem.detail, /11 bytes.*10/);
  });
});

describe('a request that is not one', () => {
  for (const encoding of ['gzip', 'br', 'unknown']) {
    test(`with content-encoding ${encoding} is 415`, async () => {
      const problem = await refused(post(url, { data: 'x', headers: { 'content-encoding': encoding } }), 415);
      assert.match(problem.detail, new RegExp(encoding));
    });
  }

  test('with content-encoding identity is as without', async () => {
    assert.equal((await post(url, { data: 'x', headers: { 'content-encoding': 'identity' } })).status, 202);
  });
});

test('what is refused while the broker drains is 503, and told when to come back', async () => {
  await using stopping = await startBus();
  await stopping.apply('');
  await stopping.bus.drain();
  const response = await post(`${stopping.url}/default/default`, {});
  assert.match(response.headers.get('retry-after') ?? '', /^\d+$/);
  await refused(response, 503);
  assert.equal(stopping.entries().length, 0);
});
