import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';

import { post } from '../support/events.ts';
import { trigger } from '../support/manifests.ts';
import { refused } from '../support/problem.ts';
import { startMillrace, testFolder } from '../support/process.ts';
import { exchange, postHead } from '../support/raw.ts';
import { startSubscriber } from '../support/subscriber.ts';

const WEBHOOK = `---
apiVersion: sources.millrace.dev/v1alpha1
kind: WebhookSource
metadata: { name: open }
spec:
  path: /hooks/open
  sink: { ref: { apiVersion: eventing.knative.dev/v1, kind: Broker, name: default } }
`;

const STOPPING = /millrace: stopping/;

describe('SIGTERM', { timeout: 180_000 }, () => {
  test('refuses new events, lets what is under way finish, and ends with 0', async () => {
    using folder = testFolder();
    const finish = Promise.withResolvers<void>();
    await using slow = await startSubscriber(async () => {
      await finish.promise;
      return {};
    });
    const manifests = [folder.write('flow.yaml', trigger('slow', slow.url))];
    await using millrace = await startMillrace({ data: folder.at('data'), manifests });
    await post(millrace.broker, { id: 'first' });
    await slow.count(1);

    millrace.signal('SIGTERM');
    await millrace.says(STOPPING);
    const response = await post(millrace.broker, { id: 'late' });
    assert.match(response.headers.get('retry-after') ?? 'none', /^\d+$/);
    await refused(response, 503);
    const ready = await fetch(`${millrace.admin}/readyz?verbose`);
    assert.equal(ready.status, 503);
    assert.match(await ready.text(), /\[-\]accepting failed: draining/);
    finish.resolve();
    const { code, stderr } = await millrace.ended;
    assert.equal(code, 0, stderr);

    await using again = await startMillrace({ data: folder.at('data'), manifests });
    await again.settled();
    const events = await again.ask<{ id: string }[]>('/api/events');
    assert.deepEqual(
      events.map(({ id }) => id),
      ['first'],
      'what was refused is not there',
    );
    assert.equal(slow.received.length, 1, 'what finished is not repeated');
  });

  for (const path of ['/default/default', '/hooks/open'])
    test(`answers a request to ${path} whose beginning it has: taken, or to be sent again`, async () => {
      using folder = testFolder();
      const finish = Promise.withResolvers<void>();
      await using slow = await startSubscriber(async () => {
        await finish.promise;
        return {};
      });
      const manifests = [folder.write('flow.yaml', trigger('slow', slow.url) + WEBHOOK)];
      await using millrace = await startMillrace({ data: folder.at('data'), manifests });
      await post(millrace.broker, { id: 'first' });
      await slow.count(1);
      const { hostname, port } = new URL(millrace.url);
      const socket = connect(Number(port), hostname);
      socket.write(`${postHead(path, 'content-length: 4', 'expect: 100-continue')}\r\n`);
      // It has read the head when it asks for the body.
      const [first] = (await once(socket, 'data')) as [Buffer];
      assert.match(first.toString(), /^HTTP\/1\.1 100 /);
      millrace.signal('SIGTERM');
      await millrace.says(STOPPING);
      // Its doors are shut by now: whoever comes anew is told so.
      const late = await exchange(millrace.url, `${postHead(path, 'content-length: 0')}\r\n`);
      assert.equal(late.status, 503);
      socket.write('body');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      assert.match(answer.toString(), /^HTTP\/1\.1 (?:202|503) /);
      finish.resolve();
      assert.equal((await millrace.ended).code, 0);
    });

  for (const second of ['SIGTERM', 'SIGINT'] as const) {
    test(`and then ${second} ends it, whatever is under way`, async () => {
      using folder = testFolder();
      await using hanging = await startSubscriber(() => ({ hang: true }));
      const manifests = [folder.write('flow.yaml', trigger('hanging', hanging.url))];
      await using millrace = await startMillrace({ data: folder.at('data'), manifests });
      await post(millrace.broker, { id: 'first' });
      await hanging.count(1);
      millrace.signal('SIGTERM');
      await millrace.says(STOPPING);
      // One that comes at the same time is taken for the first: a terminal signals everybody in front of it.
      const again = setInterval(() => millrace.signal(second), 100);
      const { code, stderr } = await millrace.ended;
      clearInterval(again);
      assert.equal(code, 130, stderr);
    });
  }

  test('waits no longer than --drain-seconds; what was under way is delivered again at the next start', async () => {
    using folder = testFolder();
    await using subscriber = await startSubscriber(() => ({ hang: true }));
    const manifests = [folder.write('flow.yaml', trigger('hanging', subscriber.url))];
    const data = folder.at('data');
    await using millrace = await startMillrace({ data, manifests, arguments: ['--drain-seconds', '1'] });
    await post(millrace.broker, { id: 'first' });
    await subscriber.count(1);
    const { code, stderr } = await millrace.stop();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /still under way after 1 s; they are repeated at the next start/);

    subscriber.answer(() => ({}));
    await using again = await startMillrace({ data, manifests });
    await subscriber.count(2);
    await again.settled();
    assert.equal(subscriber.received.length, 2);
    assert.equal((await again.stop()).code, 0);
  });

  test('with nothing under way ends it with 0, and so do SIGINT and SIGHUP', async () => {
    using folder = testFolder();
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      await using millrace = await startMillrace({ data: folder.at('data') });
      millrace.signal(signal);
      const { code, stderr } = await millrace.ended;
      assert.equal(code, 0, `${signal}: ${stderr}`);
    }
  });
});
