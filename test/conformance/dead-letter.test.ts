import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { startBus } from '../support/bus.ts';
import { post } from '../support/events.ts';
import { broker, trigger } from '../support/manifests.ts';
import { startRawServer } from '../support/raw.ts';
import { startSubscriber } from '../support/subscriber.ts';
import type { Received, Respond } from '../support/subscriber.ts';

// knative.md §3.5 and §11.1 "DLS extensions", with the error extensions of DESIGN §3.

const AT_ONCE = { backoffPolicy: 'linear', backoffDelay: 'PT0S' };
const text = (value: unknown) => Buffer.from(String(value), 'base64').toString();

/** What the dead letter sink gets of an event whose subscriber answers like this. */
async function deadLetterOf(answer: Respond, delivery: object = {}): Promise<{ got: Received; subscriber: string }> {
  await using sink = await startSubscriber();
  await using subscriber = await startSubscriber(() => answer);
  await using bus = await startBus();
  const deadLetterSink = { uri: `${sink.url}dead?letters` };
  await bus.apply(trigger('dies', subscriber.url, { delivery: { deadLetterSink, ...delivery } }));
  const sent = { id: 'e1', type: 'asked', data: '{"n": 1.0}', extensions: { mine: 'kept' } };
  await post(`${bus.url}/default/default`, { ...sent, headers: { 'x-request-id': 'r1', 'x-other': 'no' } });
  const [got] = await sink.count(1);
  await bus.settled();
  assert.equal(sink.received.length, 1);
  assert.equal((await bus.deadLetters(0)).length, 0);
  return { got: got!, subscriber: subscriber.url };
}

describe('a dead letter sink gets', () => {
  test('the event as it came, and where and how it failed', async () => {
    const body = '{ "message": "catastrophic failure" }';
    const { got, subscriber } = await deadLetterOf({ status: 422, body });
    assert.equal(got.body.toString(), '{"n": 1.0}');
    const { id, type, source, extensions } = got.event!;
    assert.deepEqual([id, type, source], ['e1', 'asked', '/test']);
    const { knativearrivaltime, ...rest } = extensions;
    assert.match(String(knativearrivaltime), /Z$/);
    assert.deepEqual(rest, {
      mine: 'kept',
      knativeerrordest: subscriber,
      knativeerrorcode: '422',
      knativeerrordata: Buffer.from(body).toString('base64'),
    });
  });

  test('no error data where the failure had no body', async () => {
    const { got } = await deadLetterOf({ status: 422 });
    assert.equal(got.event!.extensions['knativeerrorcode'], '422');
    assert.equal(got.event!.extensions['knativeerrordata'], undefined);
  });

  test('the namespace and the headers that travel, and is not asked for a reply', async () => {
    const { got } = await deadLetterOf({ status: 422 });
    assert.equal(got.path, '/dead?letters');
    assert.equal(got.headers['kn-namespace'], 'default');
    assert.equal(got.headers['x-request-id'], 'r1');
    assert.equal(got.headers['x-other'], undefined);
    assert.equal(got.headers['prefer'], undefined);
  });

  test('the event in the format of the trigger, with the code as a number', async () => {
    const { got } = await deadLetterOf({ status: 422 }, { format: 'json' });
    assert.match(got.headers['content-type']!, /^application\/cloudevents\+json/);
    assert.equal(got.event!.extensions['knativeerrorcode'], 422);
  });

  for (const size of [768, 769, 1_024, 100_000]) {
    test(`at most 1024 characters of error data, of ${size} bytes`, async () => {
      const body = Buffer.from(Array.from({ length: size }, (_, n) => n % 256));
      const { got } = await deadLetterOf({ status: 500, body });
      const data = String(got.event!.extensions['knativeerrordata']);
      assert.equal(data.length, 1_024);
      assert.deepEqual(Buffer.from(data, 'base64'), body.subarray(0, 768));
    });
  }

  test('the address that nobody listens at, the reason, and no code', async () => {
    const gone = await startRawServer(() => {});
    await gone[Symbol.asyncDispose]();
    await using sink = await startSubscriber();
    await using bus = await startBus();
    await bus.apply(
      trigger('dies', gone.url, { delivery: { deadLetterSink: { uri: sink.url }, retry: 1, ...AT_ONCE } }),
    );
    await post(`${bus.url}/default/default`, {});
    const [got] = await sink.count(1);
    const { knativeerrordest, knativeerrorcode, knativeerrordata } = got!.event!.extensions;
    assert.equal(knativeerrordest, gone.url);
    assert.equal(knativeerrorcode, undefined);
    assert.match(text(knativeerrordata), /refused/);
  });

  test('what was no event, where the answer was none', async () => {
    const { got } = await deadLetterOf({ status: 200, body: 'hello' });
    assert.equal(got.event!.extensions['knativeerrorcode'], '502');
    assert.equal(text(got.event!.extensions['knativeerrordata']), 'hello');
  });

  test('the original event and the reason, where the reply could not be taken', async () => {
    const headers = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/r', 'ce-type': 'reply' };
    const body = Buffer.alloc(1024 * 1024 + 1);
    const { got } = await deadLetterOf({ status: 200, headers, body });
    assert.equal(got.event!.id, 'e1');
    assert.equal(got.event!.extensions['knativeerrorcode'], '413');
    assert.match(text(got.event!.extensions['knativeerrordata']), /1048577 bytes/);
  });

  test('only what the last attempt failed with', async () => {
    await using sink = await startSubscriber();
    await using subscriber = await startSubscriber((_received, nth) => ({ status: 500 + nth, body: `attempt ${nth}` }));
    await using bus = await startBus();
    await bus.apply(
      trigger('dies', subscriber.url, { delivery: { deadLetterSink: { uri: sink.url }, retry: 2, ...AT_ONCE } }),
    );
    await post(`${bus.url}/default/default`, {});
    const [got] = await sink.count(1);
    const { knativeerrorcode, knativeerrordata } = got!.event!.extensions;
    assert.deepEqual([knativeerrorcode, text(knativeerrordata)], ['503', 'attempt 3']);
  });
});

describe('a dead letter sink', () => {
  test('is tried as often as the subscriber', async () => {
    await using sink = await startSubscriber((_received, nth) => ({ status: nth < 4 ? 500 : 202 }));
    await using subscriber = await startSubscriber(() => ({ status: 400, body: 'why' }));
    await using bus = await startBus();
    await bus.apply(
      trigger('dies', subscriber.url, { delivery: { deadLetterSink: { uri: sink.url }, retry: 3, ...AT_ONCE } }),
    );
    await post(`${bus.url}/default/default`, {});
    await sink.count(4);
    await bus.settled();
    assert.equal(subscriber.received.length, 1);
    assert.equal(sink.received.length, 4);
    for (const { event } of sink.received) {
      assert.equal(event!.extensions['knativeerrorcode'], '400');
      assert.equal(text(event!.extensions['knativeerrordata']), 'why');
    }
    assert.equal((await bus.deadLetters(0)).length, 0);
  });

  test('that fails for good leaves the event in the store, with why the subscriber failed; redriven, it begins anew', async () => {
    await using sink = await startSubscriber(() => ({ status: 500 }));
    await using subscriber = await startSubscriber(() => ({ status: 422, body: 'why' }));
    await using bus = await startBus();
    await bus.apply(
      trigger('dies', subscriber.url, { delivery: { deadLetterSink: { uri: sink.url }, retry: 1, ...AT_ONCE } }),
    );
    await post(`${bus.url}/default/default`, { id: 'e1' });
    const letters = await bus.deadLetters(1);
    assert.equal(letters[0]!.failure.status, 422);
    assert.equal(letters[0]!.failure.destination, subscriber.url);
    assert.equal(text(letters[0]!.failure.data), 'why');
    assert.equal(sink.received.length, 2);
    subscriber.answer(() => ({ status: 202 }));
    assert.equal(await bus.bus.redrive(letters), 1);
    await subscriber.count(2);
    await bus.settled();
    assert.equal((await bus.deadLetters(0)).length, 0);
    assert.equal(sink.received.length, 2);
    assert.equal(subscriber.received[1]!.event!.extensions['knativeerrorcode'], undefined);
  });

  for (const [what, answer] of Object.entries<Respond>({
    'an event': {
      status: 200,
      headers: { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/sink', 'ce-type': 'from-the-sink' },
    },
    'a body that is no event': { status: 200, body: 'thanks' },
    'an event that is malformed': { status: 200, headers: { 'ce-specversion': '1.0' } },
  })) {
    test(`that answers ${what} has taken it, and nothing comes of the answer`, async () => {
      await using sink = await startSubscriber(() => answer);
      await using subscriber = await startSubscriber(() => ({ status: 400 }));
      await using bus = await startBus();
      await bus.apply(trigger('dies', subscriber.url, { delivery: { deadLetterSink: { uri: sink.url }, retry: 1 } }));
      await post(`${bus.url}/default/default`, {});
      await sink.count(1);
      await bus.settled();
      assert.equal(sink.received.length, 1);
      assert.equal(bus.entries().length, 1);
      assert.equal((await bus.deadLetters(0)).length, 0);
    });
  }

  test('that is a broker gets the event with its error extensions, and its triggers deliver it', async () => {
    await using subscriber = await startSubscriber(() => ({ status: 422 }));
    await using observer = await startSubscriber();
    await using bus = await startBus();
    const ref = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'dead' };
    await bus.apply(
      broker(undefined, { name: 'dead' }) +
        trigger('dies', subscriber.url, { delivery: { deadLetterSink: { ref } } }) +
        trigger('observes', observer.url, { broker: 'dead', filters: [{ exact: { knativeerrorcode: '422' } }] }),
    );
    await post(`${bus.url}/default/default`, { id: 'e1' });
    const [got] = await observer.count(1);
    assert.equal(got!.event!.id, 'e1');
    assert.equal(got!.event!.extensions['knativeerrordest'], subscriber.url);
  });
});

describe('the sink of a trigger', () => {
  test('is the broker’s where its own delivery names none', async () => {
    await using sink = await startSubscriber();
    await using subscriber = await startSubscriber(() => ({ status: 503 }));
    await using bus = await startBus();
    await bus.apply(
      broker({ deadLetterSink: { uri: sink.url }, retry: 5, ...AT_ONCE }) +
        trigger('dies', subscriber.url, { delivery: { retry: 1, ...AT_ONCE } }),
    );
    await post(`${bus.url}/default/default`, {});
    await sink.count(1);
    await bus.settled();
    assert.equal(subscriber.received.length, 2);
  });

  test('is the store where nobody names one: listed with the reason, never dropped', async () => {
    await using subscriber = await startSubscriber(() => ({ status: 422, body: 'why' }));
    await using bus = await startBus();
    await bus.apply(trigger('dies', subscriber.url));
    await post(`${bus.url}/default/default`, { id: 'e1', data: '"x"' });
    const [letter] = await bus.deadLetters(1);
    assert.equal(letter!.entry.event.id, 'e1');
    assert.equal(letter!.attempts, 1);
    const { destination, status, data } = letter!.failure;
    assert.deepEqual([destination, status, text(data)], [subscriber.url, 422, 'why']);
    await using again = await bus.restart();
    assert.equal((await again.deadLetters(1)).length, 1);
  });
});
