import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';

import { asDeadLetter, failureOf } from './dead-letter.ts';

const DESTINATION = 'http://agent/';
const sent = (more: Record<string, unknown> = {}) =>
  makeEvent({ specversion: '1.0', id: '1', source: '/s', type: 't', kept: 'yes', ...more }, Buffer.from('data'));
const dead = (error: unknown, event = sent()) => asDeadLetter(event, failureOf(error, DESTINATION));
const text = (base64: unknown) => Buffer.from(String(base64), 'base64').toString();

describe('a dead letter', () => {
  test('tells where, with which status and with which words it failed, and is else as it was', () => {
    const { extensions, ...rest } = dead(new HandlerFailure('answered 422', { status: 422, body: Buffer.from('why') }));
    assert.equal(extensions['knativeerrordest'], DESTINATION);
    assert.equal(extensions['knativeerrorcode'], 422);
    assert.equal(text(extensions['knativeerrordata']), 'why');
    assert.equal(extensions['kept'], 'yes');
    const { extensions: _, ...before } = sent();
    assert.deepEqual(rest, before);
  });

  test('has no code without a response, and then the words of the error', () => {
    for (const error of [new HandlerFailure('connection refused'), new Error('connection refused')]) {
      const { extensions } = dead(error);
      assert.ok(!('knativeerrorcode' in extensions));
      assert.equal(text(extensions['knativeerrordata']), 'connection refused');
    }
  });

  test('has no data where the response had none', () => {
    for (const body of [undefined, new Uint8Array()]) {
      const { extensions } = dead(new HandlerFailure('answered 500', { status: 500, body }));
      assert.equal(extensions['knativeerrorcode'], 500);
      assert.ok(!('knativeerrordata' in extensions));
    }
  });

  test('has at most 1024 characters of data, and they are whole base64', () => {
    for (const [length, kept] of [
      [767, 767],
      [768, 768],
      [769, 768],
      [5_000, 768],
    ] as const) {
      const body = Buffer.alloc(length, 'abcdefg');
      const data = String(dead(new HandlerFailure('no', { status: 500, body })).extensions['knativeerrordata']);
      assert.ok(data.length <= 1_024, `${data.length} characters`);
      assert.equal(text(data), body.subarray(0, kept).toString());
    }
  });

  test('has data of the body alone where that is part of a larger buffer', () => {
    const body = Buffer.from('before, why, after').subarray(8, 11);
    assert.equal(text(dead(new HandlerFailure('no', { status: 500, body })).extensions['knativeerrordata']), 'why');
  });

  test('tells the last failure when it has died before', () => {
    const first = dead(new HandlerFailure('answered 422', { status: 422, body: Buffer.from('first') }));
    const { extensions } = dead(new Error('second'), first);
    assert.ok(!('knativeerrorcode' in extensions));
    assert.equal(text(extensions['knativeerrordata']), 'second');
  });
});

test('a failure that is no error is told by its text', () => {
  assert.deepEqual(failureOf('what was thrown', DESTINATION), { destination: DESTINATION, message: 'what was thrown' });
});
