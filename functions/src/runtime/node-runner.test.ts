import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import type { Answer } from '@millrace/event/handler';

import { aContext, anEvent, failureOf, handlerOf, jsonOf, textOf } from '../test-support.ts';
import { WORKLOAD_DEFAULTS } from '../workload.ts';
import { processRuntime } from './process/process.ts';

describe('a Node function', () => {
  let folder: string;
  const runtime = processRuntime();
  let lines: string[];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-node-'));
  });
  after(async () => {
    await runtime.close();
    await rm(folder, { recursive: true });
  });

  let files = 0;
  async function call(
    code: string,
    options: { name?: string; attributes?: Record<string, unknown>; data?: Uint8Array | string } = {},
  ): Promise<Answer> {
    const file = join(folder, options.name ?? `code-${(files += 1)}.mjs`);
    await writeFile(file, code);
    lines = [];
    const workload = { ...WORKLOAD_DEFAULTS, name: 'default/node', code: { language: 'node', file } } as const;
    const instance = runtime.start(workload, (line) => lines.push(line.text));
    await instance.ready;
    return handlerOf(instance, workload)(anEvent(options.attributes, options.data), { ...aContext(), attempt: 3 });
  }
  const kindOf = 'export default (event) => ({ kind: event.data?.constructor.name, text: String(event.data) })';

  describe('gets the data', () => {
    test('parsed under every JSON media type', async () => {
      const attributes = { datacontenttype: 'application/vnd.acme+json; charset=utf-8' };
      assert.deepEqual(jsonOf((await call(kindOf, { attributes, data: '[1]' })).event), { kind: 'Array', text: '1' });
    });

    test('as a string under a text media type', async () => {
      const attributes = { datacontenttype: 'text/csv' };
      assert.deepEqual(jsonOf((await call(kindOf, { attributes, data: 'a,b' })).event), {
        kind: 'String',
        text: 'a,b',
      });
    });

    test('as a Buffer under any other', async () => {
      const attributes = { datacontenttype: 'image/png' };
      assert.equal(jsonOf((await call(kindOf, { attributes, data: 'x' })).event).kind, 'Buffer');
    });

    test('as undefined when there is none', async () => {
      const { event } = await call('export default (event) => [typeof event.data, typeof event.dataBytes]', {
        data: '',
      });
      assert.deepEqual(jsonOf(event), ['undefined', 'undefined']);
    });

    test('not at all when it is not the JSON that it claims to be: that is a failure with status 400', async () => {
      const failure = await failureOf(call(kindOf, { data: '{' }));
      assert.equal(failure.status, 400);
      assert.match(failure.message, /data: expected JSON/);
    });
  });

  test('is told the attempt and the deadline', async () => {
    const { event } = await call('export default (event, { attempt, deadline }) => [attempt, typeof deadline]');
    assert.deepEqual(jsonOf(event), [3, 'number']);
  });

  describe('may reply with', () => {
    test('the event that it got, changed: data, media type and extensions stay what they were', async () => {
      const code = `export default (event) => ({ ...event, type: 'changed' })`;
      const attributes = { datacontenttype: 'application/json', tenant: 'acme', subject: 's' };
      const { event } = await call(code, { attributes, data: '"5"' });
      assert.deepEqual([event?.type, event?.id, event?.subject], ['changed', 'e-1', 's']);
      assert.deepEqual([event?.extensions['tenant'], textOf(event)], ['acme', '"5"']);
    });

    test('an event with text, with bytes, and without data', async () => {
      const { event: text } = await call(`export default () => ({ type: 't', data: 'hi' })`);
      assert.deepEqual([text?.datacontenttype, textOf(text)], ['text/plain; charset=utf-8', 'hi']);
      const { event: bytes } = await call(`export default () => ({ type: 't', data: Buffer.from([0, 255]) })`);
      assert.deepEqual([bytes?.datacontenttype, [...bytes!.data!]], ['application/octet-stream', [0, 255]]);
      const { event: none } = await call(`export default () => ({ type: 't' })`);
      assert.deepEqual([none?.datacontenttype, none?.data], [undefined, undefined]);
      assert.match(none!.time!, /^\d{4}-/);
      assert.equal(none?.source, '/functions/default/node');
    });

    test('an event of the cloudevents SDK', async () => {
      const sdk = JSON.stringify(import.meta.resolve('cloudevents'));
      const { event } = await call(`
        import sdk from ${sdk};
        export default () => new sdk.CloudEvent({ type: 't', source: '/sdk', id: 'i', data: { a: 1 }, hue: 'red' })`);
      assert.deepEqual([event?.type, event?.source, event?.id], ['t', '/sdk', 'i']);
      assert.equal(event?.extensions['hue'], 'red');
      assert.deepEqual(jsonOf(event), { a: 1 });
      const { event: binary } = await call(`
        import sdk from ${sdk};
        export default () => new sdk.CloudEvent({ type: 't', source: '/sdk', datacontenttype: 'image/png', data: new Uint8Array([1, 2]) })`);
      assert.deepEqual([...binary!.data!], [1, 2]);
    });

    test('a number', async () => {
      assert.equal(textOf((await call('export default () => 42')).event), '42');
    });
  });

  test('fails, with the reason, when it returns what cannot be said', async () => {
    for (const [code, reason] of [
      ['export default () => () => {}', /expected something that JSON can say, got a function/],
      [`export default () => ({ type: 't', Upper: 1 })`, /reply\.Upper: expected an attribute name/],
      [`export default () => ({ type: 't', nested: {} })`, /reply\.nested: expected a string, a number or a boolean/],
    ] as const) {
      const failure = await failureOf(call(code));
      assert.equal(failure.status, 500);
      assert.match(failure.message, reason);
    }
  });

  for (const [name, code] of [
    ['typed.ts', `export default (event: { id: string }): string => event.id`],
    ['common.cjs', `module.exports = (event) => event.id`],
    ['typeless.js', `export default (event) => event.id`],
  ] as const) {
    test(`may be written in ${name}, and nothing is said about it`, async () => {
      assert.equal(textOf((await call(code, { name })).event), 'e-1');
      await runtime.close();
      assert.deepEqual(lines, []);
    });
  }
});
