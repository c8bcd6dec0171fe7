import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';

import { sign as signAsGitHub } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';

import { trigger } from '../support/manifests.ts';
import { refused } from '../support/problem.ts';
import { startMillrace, testFolder } from '../support/process.ts';
import type { Millrace, TestFolder } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';
import type { Subscriber } from '../support/subscriber.ts';

const GITHUB_SECRET = 'secret-to-everybody';
const STANDARD_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const BODY = JSON.stringify({ action: 'opened', repository: { full_name: 'octo/hello' } });

interface Up extends AsyncDisposable {
  readonly folder: TestFolder;
  readonly subscriber: Subscriber;
  readonly millrace: Millrace;
  readonly manifests: readonly string[];
}

describe('a WebhookSource', { timeout: 60_000 }, () => {
  test('takes what GitHub signed; its templates say what the event is', async () => {
    await using up = await start();
    assert.equal((await deliver(up, BODY)).status, 202);
    const [{ event, body }] = (await up.subscriber.count(1)) as [Subscriber['received'][number]];
    assert.deepEqual([event?.type, event?.subject], ['github.issues.opened', 'octo/hello']);
    assert.equal(body.toString(), BODY);
  });

  test('takes what GitHub signed with a secret that has spaces, as its own documentation does', async () => {
    const spaced = "It's a Secret to Everybody";
    using folder = testFolder();
    const manifests = [folder.write('flow.yaml', secret('github', spaced) + source('github', 'github'))];
    await using millrace = await startMillrace({ data: folder.at('data'), manifests });
    const headers = { ...(await githubHeaders(BODY)), 'x-hub-signature-256': await signAsGitHub(spaced, BODY) };
    assert.equal((await send(`${millrace.url}/hooks/github`, BODY, headers)).status, 202);
  });

  test('answers 401 to what is not signed as it should be, and no event is there', async () => {
    await using up = await start();
    const url = `${up.millrace.url}/hooks/github`;
    const headers = await githubHeaders(BODY);
    await refused(send(url, `${BODY} `, headers), 401);
    await refused(send(url, BODY, { ...headers, 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }), 401);
    const { 'x-hub-signature-256': _, ...unsigned } = headers;
    await refused(send(url, BODY, unsigned), 401);
    const other = createHmac('sha256', 'another').update(BODY).digest('hex');
    const { detail } = await refused(send(url, BODY, { ...headers, 'x-hub-signature-256': `sha256=${other}` }), 401);
    assert.doesNotMatch(detail, /to-everybody/);
    assert.deepEqual(await up.millrace.ask('/api/events'), []);
    assert.doesNotMatch(up.millrace.stderr, /to-everybody/);
  });

  test('emits nothing for a repetition of GitHub', async () => {
    await using up = await start();
    const headers = await githubHeaders(BODY);
    const url = `${up.millrace.url}/hooks/github`;
    // At once and one after the other.
    const answers = await Promise.all([send(url, BODY, headers), send(url, BODY, headers)]);
    answers.push(await send(url, BODY, headers));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [202, 202, 202],
    );
    await up.millrace.settled();
    assert.equal(up.subscriber.received.length, 1);
    assert.equal((await up.millrace.ask<unknown[]>('/api/events')).length, 1);
  });

  test('takes what Standard Webhooks signs, once, and not what is old or forged', async () => {
    await using up = await start();
    const url = `${up.millrace.url}/hooks/standard`;
    const headers = standardHeaders('msg_1', new Date());
    assert.equal((await send(url, BODY, headers)).status, 202);
    assert.equal((await send(url, BODY, headers)).status, 202);
    await refused(send(url, `${BODY} `, headers), 401);
    await refused(send(url, BODY, { ...headers, 'webhook-id': 'msg_2' }), 401);
    await refused(send(url, BODY, standardHeaders('msg_3', new Date(Date.now() - 3_600_000))), 401);
    await up.millrace.settled();
    const ids = up.subscriber.received.map(({ event }) => event!.id);
    assert.deepEqual(ids, ['msg_1']);
  });

  test('answers 202 only once the event is durable: each survives a kill', async () => {
    await using up = await start();
    up.subscriber.answer(() => ({ hang: true }));
    const accepted: string[] = [];
    const url = `${up.millrace.url}/hooks/standard`;
    for (let nth = 0; nth < 20; nth += 1) {
      const id = `msg_${nth}`;
      const { status } = await send(url, BODY, standardHeaders(id, new Date()));
      if (status === 202) accepted.push(id);
    }
    await up.millrace.kill();
    assert.equal(accepted.length, 20);
    const before = up.subscriber.received.length;
    up.subscriber.answer(() => ({}));
    await using again = await startMillrace({ data: up.folder.at('data'), manifests: up.manifests });
    await up.subscriber.count(before + 20);
    await again.settled();
    const ids = up.subscriber.received.slice(before).map(({ event }) => event!.id);
    assert.deepEqual(new Set(ids), new Set(accepted));
  });

  test('that has no secret takes nothing, and says why', async () => {
    using folder = testFolder();
    const manifests = [folder.write('flow.yaml', source('github', 'github'))];
    await using millrace = await startMillrace({ data: folder.at('data'), manifests });
    assert.match(millrace.stderr, /WebhookSource +default\/github +not ready: \S+: .*secret/i);
    const response = await send(`${millrace.url}/hooks/github`, BODY, await githubHeaders(BODY));
    assert.ok(response.status >= 400, `it was answered ${response.status}`);
    assert.deepEqual(await millrace.ask('/api/events'), []);
  });
});

async function start(): Promise<Up> {
  const folder = testFolder();
  const subscriber = await startSubscriber();
  const secrets = [secret('github', GITHUB_SECRET), secret('standard', STANDARD_SECRET)];
  const sources = [source('github', 'github', GITHUB_EVENT), source('standard', 'standardWebhooks')];
  const manifests = [folder.write('flow.yaml', [...secrets, ...sources, trigger('all', subscriber.url)].join(''))];
  const millrace = await startMillrace({ data: folder.at('data'), manifests });
  return {
    folder,
    subscriber,
    millrace,
    manifests,
    async [Symbol.asyncDispose]() {
      await millrace[Symbol.asyncDispose]();
      await subscriber[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

const GITHUB_EVENT = `event: { type: "github.{headers.x-github-event}.{body.action}", subject: "{body.repository.full_name}" }`;

function source(name: string, scheme: string, more = ''): string {
  return `---
apiVersion: sources.millrace.dev/v1alpha1
kind: WebhookSource
metadata: { name: ${name} }
spec:
  path: /hooks/${name}
  verify: { ${scheme}: { secretKeyRef: { name: ${name}, key: secret } } }
  ${more}
  sink: { ref: { apiVersion: eventing.knative.dev/v1, kind: Broker, name: default } }
`;
}

function secret(name: string, text: string): string {
  const data = { secret: Buffer.from(text).toString('base64') };
  return `---\n${JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, data })}\n`;
}

function send(url: string, body: string, headers: Record<string, string>): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
}

async function deliver({ millrace }: Up, body: string): Promise<Response> {
  return send(`${millrace.url}/hooks/github`, body, await githubHeaders(body));
}

async function githubHeaders(body: string): Promise<Record<string, string>> {
  return {
    'x-github-event': 'issues',
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': await signAsGitHub(GITHUB_SECRET, body),
  };
}

function standardHeaders(id: string, at: Date): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': new Webhook(STANDARD_SECRET).sign(id, at, BODY),
  };
}
