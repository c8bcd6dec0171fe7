import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';
import { decodeHttp } from '@millrace/event/http';

import { evaluatorForTests } from './evaluator.fixture.ts';
import { openEvaluator } from './evaluator.ts';
import { handlerSink } from './handler-sink.ts';
import { answerTransform } from './transform-door.ts';
import type { SinkCall, TransformOptions, TransformRequest } from './transform-door.ts';

const evaluator = evaluatorForTests();

const EVENT = '{"specversion":"1.0","id":"1","source":"/orders","type":"a"}';
const STRUCTURED = ['Content-Type', 'application/cloudevents+json'];
const BINARY = ['ce-specversion', '1.0', 'ce-id', '1', 'ce-source', '/orders', 'ce-type', 'a'];

/** Posts an event, or something else, and reads the response as text. */
async function post(
  options: Partial<TransformOptions>,
  request: Partial<Omit<TransformRequest, 'body'>> & { body?: string } = {},
) {
  const { signal } = new AbortController();
  const { status, rawHeaders, body } = await answerTransform(
    { method: 'POST', rawHeaders: STRUCTURED, signal, ...request, body: Buffer.from(request.body ?? EVENT) },
    { evaluator, expression: '$', ...options },
  );
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) headers.append(rawHeaders[index]!, rawHeaders[index + 1]!);
  return { status, headers: Object.fromEntries(headers), body: Buffer.from(body).toString() };
}

/** A sink that answers the same to everything, and what it was asked last. */
function sinkOf(status: number, rawHeaders: readonly string[] = [], body = '') {
  const asked: { rawHeaders: readonly string[]; body: string }[] = [];
  const sink: SinkCall = (message) => {
    asked.push({ rawHeaders: message.rawHeaders, body: Buffer.from(message.body).toString() });
    return Promise.resolve({ status, rawHeaders, body: Buffer.from(body) });
  };
  return { sink, asked };
}

describe('without a sink the response is the result', () => {
  for (const [what, expression, contentType, body] of [
    ['an event', '$merge([$, {"type": "b"}])', 'application/cloudevents+json', EVENT.replace('"a"', '"b"')],
    ['an object', '{"a": id}', 'application/json', '{"a":"1"}'],
    ['a list', '[id]', 'application/json', '["1"]'],
    [
      'what names its media type',
      '{"contenttype": "application/x+json"}',
      'application/x+json',
      '{"contenttype":"application/x+json"}',
    ],
  ] as const) {
    test(what, async () => {
      assert.deepEqual(await post({ expression }), { status: 200, headers: { 'content-type': contentType }, body });
    });
  }
});

describe('the input', () => {
  for (const [what, rawHeaders, body, seen] of [
    ['a structured event', STRUCTURED, EVENT, JSON.parse(EVENT)],
    ['a binary event', BINARY, '{"n": 1}', { ...JSON.parse(EVENT), data: { n: 1 } }],
    [
      'a binary event of text',
      [...BINARY, 'content-type', 'text/plain'],
      'hi',
      { ...JSON.parse(EVENT), datacontenttype: 'text/plain', data: 'hi' },
    ],
    ['JSON that is no event', ['content-type', 'application/json'], '{"n": 1}', { n: 1 }],
    ['JSON without a media type', [], '[1, 2]', [1, 2]],
    ['text', ['content-type', 'text/plain'], 'hi', 'hi'],
    ['nothing', [], '', {}],
    [
      'what means to be an event and is none',
      STRUCTURED,
      '{"specversion":"1.0","id":""}',
      { specversion: '1.0', id: '' },
    ],
  ] as const) {
    test(`is ${what}`, async () => {
      const response = await post({ expression: '{"in": $}' }, { rawHeaders, body });
      assert.deepEqual(JSON.parse(response.body), { in: seen });
    });
  }
});

describe('is refused', () => {
  test('whatever is no POST', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await post({}, { method });
      assert.deepEqual([status, headers['allow']], [405, 'POST']);
    }
  });

  test('a batch', async () => {
    const rawHeaders = ['content-type', 'application/cloudevents-batch+json; charset=utf-8'];
    const { status, headers } = await post({}, { rawHeaders, body: '[]' });
    assert.deepEqual([status, headers['reason']], [400, 'Unsupported batch input']);
  });

  for (const [what, expression, reason] of [
    ['an input that the expression fails with', '$error("no\\ncustomer ü")', 'no customer ? (at character 7)'],
    ['an expression that is none', '{', 'Expected ":" before end of expression (at character 1)'],
    ['a result that is nothing', 'missing', 'the expression has no value for this input: expected an object'],
    ['a result that is no object', '"text"', 'expected an object, got "text"'],
    [
      'a result that is half an event',
      '{"specversion": "1.0"}',
      'the result is not what it should be: id: expected a value, as it is required, got nothing',
    ],
  ] as const) {
    test(`with 500, ${what}`, async () => {
      const { status, headers } = await post({ expression });
      assert.deepEqual([status, headers['reason']], [500, reason]);
    });
  }

  test('with 503, what there is no worker for', async () => {
    const closed = openEvaluator({ maxBytes: 1_000 });
    await closed.close();
    const { status, headers } = await post({ evaluator: closed });
    assert.deepEqual([status, headers['reason']], [503, 'the evaluator was closed']);
  });
});

describe('with a sink', () => {
  test('the result is posted to it, with what travels along', async () => {
    const { sink, asked } = sinkOf(202);
    const rawHeaders = [...STRUCTURED, 'TraceParent', '00-a', 'Authorization', 'secret'];
    assert.deepEqual(await post({ expression: '{"a": id}', sink }, { rawHeaders }), {
      status: 202,
      headers: {},
      body: '',
    });
    assert.deepEqual(asked, [
      { rawHeaders: ['Content-Type', 'application/json', 'traceparent', '00-a'], body: '{"a":"1"}' },
    ]);
  });

  const headers = ['Content-Type', 'text/plain', 'Retry-After', '7', 'Server', 'x', 'ce-id', '5'];
  for (const status of [200, 202, 400, 429, 503]) {
    test(`its ${status} passes, with media type and body`, async () => {
      const { sink } = sinkOf(status, headers, 'hello');
      assert.deepEqual(await post({ sink }), {
        status,
        headers: { 'content-type': 'text/plain', 'retry-after': '7', 'ce-id': '5' },
        body: 'hello',
      });
    });
  }

  for (const [what, rawHeaders, body, seen] of [
    [
      'an event',
      [...BINARY, 'content-type', 'application/json'],
      '1',
      { ...JSON.parse(EVENT), datacontenttype: 'application/json', data: 1 },
    ],
    ['JSON', [], '{"n":1}', { n: 1 }],
    ['text', [], 'hi', 'hi'],
  ] as const) {
    test(`its answer is transformed: ${what}`, async () => {
      const { sink } = sinkOf(201, rawHeaders, body);
      const response = await post({ sink, reply: { expression: '{"reply": $}' } });
      assert.deepEqual(response, {
        status: 201,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ reply: seen }),
      });
    });
  }

  test('an empty answer of it is not transformed', async () => {
    const { sink } = sinkOf(202);
    assert.deepEqual(await post({ sink, reply: { expression: '{"reply": $}' } }), {
      status: 202,
      headers: {},
      body: '',
    });
  });

  test('its answer is discarded, but for the status', async () => {
    const { sink } = sinkOf(202, headers, 'hello');
    assert.deepEqual(await post({ sink, reply: 'discard' }), { status: 202, headers: {}, body: '' });
  });

  for (const [what, options, reason] of [
    [
      'it does not answer',
      { sink: () => Promise.reject(new Error('connection refused')) },
      'the sink has not answered: connection refused',
    ],
    ['it sends elsewhere', sinkOf(302, ['Location', '/b']), 'the sink answered 302: redirects are not followed'],
    [
      'its answer cannot be transformed',
      { ...sinkOf(200, [], '{}'), reply: { expression: 'missing' } },
      'the expression has no value for this input: expected an object',
    ],
  ] as const) {
    test(`500 when ${what}`, async () => {
      const {
        status,
        headers: { reason: said },
      } = await post(options);
      assert.deepEqual([status, said], [500, reason]);
    });
  }

  test('a request whose sender has gone is not answered', async () => {
    const gone = new AbortController();
    const sink: SinkCall = ({ signal }) => {
      gone.abort(new Error('gone'));
      return Promise.reject(signal.reason as Error);
    };
    await assert.rejects(post({ sink }, { signal: gone.signal }), /^Error: gone$/);
  });
});

describe('a handler as the sink', () => {
  test('takes the event, and its reply is the response', async () => {
    const reply = makeEvent(
      { specversion: '1.0', id: 'ü', source: '/b', type: 'b', datacontenttype: 'text/plain' },
      Buffer.from('hi'),
    );
    const sink = handlerSink((event, { headers, attempt }) => {
      assert.deepEqual([event.type, { ...headers }, attempt], ['a', { traceparent: '00-a' }, 1]);
      return Promise.resolve({ status: 200, event: reply, headers: { 'x-request-id': '7' } });
    });
    const { status, headers, body } = await post({ sink }, { rawHeaders: [...STRUCTURED, 'traceparent', '00-a'] });
    assert.deepEqual([status, headers['x-request-id']], [200, '7']);
    assert.deepEqual(decodeHttp(Object.entries(headers).flat(), Buffer.from(body)), reply);
  });

  for (const [what, handler, expected] of [
    ['no reply', () => Promise.resolve({ status: 202 }), { status: 202, headers: {}, body: '' }],
    [
      'a failure with a status',
      () =>
        Promise.reject(
          new HandlerFailure('answered 429', { status: 429, body: Buffer.from('slow'), retryAfterMs: 1_500 }),
        ),
      { status: 429, headers: { 'retry-after': '2' }, body: 'slow' },
    ],
  ] as const) {
    test(`says the same: ${what}`, async () => {
      assert.deepEqual(await post({ sink: handlerSink(handler) }), expected);
    });
  }

  test('has not answered when it fails without a status, or cannot take the result', async () => {
    const failing = handlerSink(() => Promise.reject(new HandlerFailure('connection refused')));
    const { status, headers } = await post({ sink: failing });
    assert.deepEqual([status, headers['reason']], [500, 'the sink has not answered: connection refused']);
    const document = await post({ sink: failing, expression: '{"a": 1}' });
    assert.match(document.headers['reason']!, /it takes events, and the result is none/);
  });
});
