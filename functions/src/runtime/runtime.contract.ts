import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { aContext, anEvent, failureOf, jsonOf, textOf, until } from '../test-support.ts';
import type { Workload } from '../workload.ts';
import { NotTaken } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import { openWorkbench } from './workbench.fixture.ts';
import type { Piece } from './workbench.fixture.ts';

/**
 * What every runtime must do. An adapter's test calls it with a way to make one; `skip` names the tests (by their
 * names) that it cannot pass, each with the reason.
 */
export function testRuntime(adapter: { name: string; open: () => Runtime; skip?: Record<string, string> }): void {
  describe(`the ${adapter.name} runtime`, () => {
    const contractTest = (name: string, body: () => Promise<void>): void => {
      void test(name, { skip: adapter.skip?.[name] ?? false }, body);
    };
    let bench: ReturnType<typeof openWorkbench>;
    beforeEach(() => {
      bench = openWorkbench(adapter.open());
    });
    afterEach(() => bench.close());

    let files = 0;
    const start = (code: string, changes: Partial<Workload> = {}): Piece =>
      bench.begin({ language: 'node', file: bench.write(`code-${(files += 1)}.mjs`, code) }, changes);
    const hasPrinted = (text: string) => (): boolean => bench.lines.some((line) => line.text === text);

    contractTest('hands the event over with every attribute and its data', async () => {
      const instance = start('export default (event) => ({ seen: { ...event, dataBytes: undefined } })');
      await instance.ready;
      const answer = await instance.handler(anEvent({ subject: 'größe "1" %', tenant: 'acme' }), aContext());
      const { seen } = jsonOf(answer.event);
      assert.deepEqual(seen, {
        specversion: '1.0',
        id: 'e-1',
        source: '/test',
        type: 'com.example.asked',
        subject: 'größe "1" %',
        tenant: 'acme',
        datacontenttype: 'application/json',
        data: { question: 'why' },
      });
    });

    contractTest('makes an event of a plain answer', async () => {
      const instance = start(`export default () => 'plain'`);
      await instance.ready;
      const { event } = await instance.handler(anEvent({ subject: 'ticket-7' }), aContext());
      assert.equal(event?.type, 'dev.millrace.function.reply');
      assert.equal(event.source, '/functions/default/under-test');
      assert.equal(event.subject, 'ticket-7');
      assert.equal(event.datacontenttype, 'text/plain; charset=utf-8');
      assert.equal(textOf(event), 'plain');
    });

    contractTest('passes a reply event on as it is', async () => {
      const reply = { type: 'com.example.done', source: '/mine', id: 'r-1', subject: 'ü', hue: 'red', data: [1] };
      const instance = start(`export default () => (${JSON.stringify(reply)})`);
      await instance.ready;
      const { event } = await instance.handler(anEvent(), aContext());
      assert.deepEqual([event?.type, event?.source, event?.id, event?.subject], [reply.type, '/mine', 'r-1', 'ü']);
      assert.equal(event?.extensions['hue'], 'red');
      assert.deepEqual(jsonOf(event), [1]);
    });

    contractTest('answers without an event when the code returns nothing', async () => {
      const instance = start('export default () => {}');
      await instance.ready;
      assert.equal((await instance.handler(anEvent(), aContext())).event, undefined);
    });

    contractTest('rejects with status 500 and the reason when the code throws', async () => {
      const instance = start(`export default () => { throw new RangeError('too far') }`);
      await instance.ready;
      const failure = await failureOf(instance.handler(anEvent(), aContext()));
      assert.equal(failure.status, 500);
      assert.deepEqual(JSON.parse(Buffer.from(failure.body!).toString()), {
        error: 'RangeError',
        message: 'too far',
      });
    });

    contractTest(
      'rejects without a status, and says how it ended, when the code ends in the middle of a call',
      async () => {
        const instance = start(`export default () => { console.error('last words'); process.exit(7) }`);
        await instance.ready;
        const failure = await failureOf(instance.handler(anEvent(), aContext()));
        assert.equal(failure.status, undefined);
        assert.match(failure.message, /exited with code 7.*last words/);
        assert.match(await instance.ended, /exited with code 7/);
      },
    );

    contractTest('tells the code through its signal when nobody waits any more', async () => {
      const instance = start(`
          export default (event, context) => new Promise(() => {
            context.signal.addEventListener('abort', () => process.exit(42));
            console.log('begun');
          })`);
      await instance.ready;
      const waiting = new AbortController();
      const call = failureOf(instance.handler(anEvent(), aContext(waiting.signal)));
      await until(hasPrinted('begun'));
      waiting.abort();
      assert.equal((await call).status, undefined);
      assert.match(await instance.ended, /code 42/);
    });

    contractTest('is not ready, with the reason, when the code cannot be loaded', async () => {
      const instance = start(`import './no-such-file.mjs'`);
      await assert.rejects(instance.ready, /no-such-file\.mjs/);
      await instance.ended;
    });

    contractTest('is not ready, with the reason, when the code has no handler', async () => {
      const instance = start('export const handle = 1');
      await assert.rejects(instance.ready, /expected a function .* as the default export, .* found exports: handle/);
    });

    contractTest('finishes what it has when it is stopped, and takes nothing more', async () => {
      const instance = start(`
          export default (event) => event.subject === 'slow'
            ? new Promise((resolve) => { console.log('begun'); setTimeout(resolve, 50, 'finished'); })
            : 'quick'`);
      await instance.ready;
      const slow = instance.handler(anEvent({ subject: 'slow' }), aContext());
      await until(hasPrinted('begun'));
      const stopped = instance.stop();
      await assert.rejects(instance.handler(anEvent(), aContext()), NotTaken);
      assert.equal(textOf((await slow).event), 'finished');
      await stopped;
      await assert.rejects(instance.handler(anEvent(), aContext()), NotTaken);
    });

    contractTest('finishes every call when it is stopped, also two of the same event', async () => {
      const instance = start(`
        let calls = 0;
        export default () => {
          calls += 1;
          console.log('begun ' + calls);
          return calls === 1 ? new Promise((resolve) => setTimeout(resolve, 10, 1)) : new Promise((resolve) => setTimeout(resolve, 100, 2));
        }`);
      await instance.ready;
      const event = anEvent();
      const calls = [instance.handler(event, aContext()), instance.handler(event, aContext())];
      await until(hasPrinted('begun 2'));
      await Promise.all([instance.stop(), instance.stop()]);
      assert.deepEqual(
        (await Promise.all(calls)).map((answer) => textOf(answer.event)),
        ['1', '2'],
      );
    });

    contractTest(
      'gives the code only the environment that is declared, and a few names that every program needs',
      async () => {
        process.env['MILLRACE_TEST_SECRET'] = 'of the parent';
        const instance = start('export default () => process.env', { environment: { MODEL: 'small' } });
        await instance.ready;
        const seen = jsonOf((await instance.handler(anEvent(), aContext())).event) as Record<string, string>;
        delete process.env['MILLRACE_TEST_SECRET'];
        assert.deepEqual(Object.keys(seen).toSorted(), ['HOME', 'LANG', 'MODEL', 'PATH', 'TMPDIR']);
        assert.equal(seen['MODEL'], 'small');
      },
    );

    contractTest('masks secrets in its lines and in failures', async () => {
      const instance = start(
        `export default () => { console.log('key is hunter22'); throw new Error('bad key hunter22') }`,
        { secretValues: ['hunter22'] },
      );
      await instance.ready;
      const failure = await failureOf(instance.handler(anEvent(), aContext()));
      await instance.stop();
      assert.ok(hasPrinted('key is ***')());
      const all = JSON.stringify(bench.lines) + failure.message + Buffer.from(failure.body!).toString();
      assert.doesNotMatch(all, /hunter22/);
      assert.match(failure.message, /bad key \*\*\*/);
    });

    contractTest('says which event a line belongs to', async () => {
      const instance = start(`export default (event, { logger }) => { logger.info('thinking', { step: 1 }) }`);
      await instance.ready;
      await Promise.all(['a', 'b'].map((id) => instance.handler(anEvent({ id }), aContext())));
      await instance.stop();
      assert.deepEqual(bench.lines.map((line) => `${line.eventId} ${line.text}`).toSorted(), [
        'a thinking {"step":1}',
        'b thinking {"step":1}',
      ]);
    });

    contractTest('cuts off an answer of more than 10 MiB', async () => {
      const instance = start(`
          export default (event) => event.subject === 'big' ? Buffer.alloc(11 * 1024 * 1024) : 'small'`);
      await instance.ready;
      const failure = await failureOf(instance.handler(anEvent({ subject: 'big' }), aContext()));
      assert.match(failure.message, /more than 10485760 bytes/);
      assert.equal(textOf((await instance.handler(anEvent(), aContext())).event), 'small');
    });

    contractTest('refuses a reply that is no CloudEvent', async () => {
      const instance = start(`export default () => ({ type: 'x', time: 'yesterday' })`);
      await instance.ready;
      const failure = await failureOf(instance.handler(anEvent(), aContext()));
      assert.match(failure.message, /time: expected a timestamp/);
    });

    contractTest('hands an answer on while it is made', async () => {
      const instance = start(`
        let go;
        export default async function* (event, { request }) {
          if (request.path === '/go') return go();
          yield 'first ';
          await new Promise((resolve) => (go = resolve));
          yield 'last';
        }`);
      await instance.ready;
      const { body } = await instance.ask();
      const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      assert.equal(String((await chunks.next()).value), 'first ');
      await instance.tell({ path: '/go' });
      assert.equal(String((await chunks.next()).value), 'last');
      assert.equal((await chunks.next()).done, true);
    });

    contractTest('hands the body of a call on while it comes', async () => {
      const instance = start(`export default { fetch: (request) => new Response(request.body) }`);
      await instance.ready;
      const body = new Readable({ read() {} });
      body.push('first');
      const answer = await instance.ask({ body });
      const chunks = answer.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      assert.equal(String((await chunks.next()).value), 'first');
      body.push('last');
      assert.equal(String((await chunks.next()).value), 'last');
      body.push(null);
      assert.equal((await chunks.next()).done, true);
    });

    contractTest('lets the code wait while nobody reads its answer', async () => {
      const chunks = 1024;
      const instance = start(`
        let made = 0;
        async function* all() {
          for (; made < ${chunks}; made += 1) yield Buffer.alloc(65536);
        }
        export default (event, { request }) => (request.path === '/made' ? made : all())`);
      await instance.ready;
      const { body } = await instance.ask();
      let made = -1;
      for (let now = 0; now !== made;) {
        made = now;
        for (let rounds = 0; rounds < 20; rounds += 1) now = Number((await instance.tell({ path: '/made' })).text);
      }
      assert.ok(made < chunks, `${made} of ${chunks}`);
      assert.equal((await text(body)).length, chunks * 65536);
    });

    contractTest('ends a call whose answer nobody wants any more, and goes on', async () => {
      const instance = start(`
        export default (event, { request, signal }) => {
          if (request.path === '/next') return 'fine';
          signal.onabort = () => console.log('left');
          return (async function* () { for (;;) { yield 'x'; await new Promise(setImmediate); } })();
        }`);
      await instance.ready;
      const { body } = await instance.ask();
      body.on('error', () => {}).destroy();
      await until(hasPrinted('left'));
      assert.equal((await instance.tell({ path: '/next' })).text, 'fine');
      await instance.stop();
    });

    contractTest('leaves nothing when it is closed', async () => {
      const instances = ['', 'for (;;);'].map((code) =>
        start(`console.log('loading'); ${code} export default () => 1`),
      );
      await instances[0]!.ready;
      await bench.runtime.close();
      for (const instance of instances) {
        assert.match(await instance.ended, /SIGKILL/);
        await assert.rejects(instance.ask(), NotTaken);
      }
      await assert.rejects(instances[1]!.ready);
    });
  });
}
