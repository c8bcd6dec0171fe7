import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { text } from 'node:stream/consumers';

import { openMemoryStore } from '../log/memory.ts';
import { knownVisitors } from '../security/visitor.ts';
import { openAdmin } from './admin.ts';
import type { GuardOptions } from './guard.ts';

const ADMIN = 'a'.repeat(43);
const READER = 'r'.repeat(43);

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly origin?: string;
  readonly token?: string;
}

/** An admin port with this guard, which is asked as by strangers. */
async function startAdmin(guard: GuardOptions) {
  const server = openAdmin({
    store: openMemoryStore(),
    about: () => ({}),
    resources: () => [],
    verdicts: () => [],
    redrive: async () => 0,
    checks: () => ({}),
    metrics: { text: async () => 'up 1\n', contentType: 'text/plain' },
    guard,
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    async ask({ method = 'GET', path = '/api/about', host = `127.0.0.1:${port}`, origin, token }: Asked) {
      const headers: Record<string, string> = { host };
      if (origin !== undefined) headers['origin'] = origin.replace('PORT', String(port));
      if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        request({ host: '127.0.0.1', port, method, path, headers, agent: false }, resolve).once('error', reject).end();
      });
      return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

const POST = { method: 'POST', path: '/api/dead-letters/purge' };

describe('without tokens the admin port', () => {
  const cases: readonly [what: string, asked: Asked, status: number][] = [
    ['takes whoever is on this machine', {}, 200],
    ['takes what changes something', POST, 200],
    ['takes its own pages', { origin: 'http://127.0.0.1:PORT' }, 200],
    ['takes localhost', { host: 'localhost' }, 200],
    ['refuses a name that was made to lead here', { host: 'evil.example' }, 421],
    ['refuses that name also for health', { host: 'evil.example', path: '/livez' }, 421],
    ['refuses pages of others', { origin: 'http://evil.example' }, 403],
    ['refuses pages of others, also to change something', { ...POST, origin: 'http://evil.example' }, 403],
    ['refuses pages of another port', { origin: 'http://127.0.0.1:1' }, 403],
    ['refuses pages without an origin of their own', { origin: 'null' }, 403],
  ];
  for (const [what, asked, status] of cases) {
    test(what, async () => {
      await using admin = await startAdmin({});
      assert.equal((await admin.ask(asked)).status, status);
    });
  }
});

describe('with tokens the admin port', () => {
  const cases: readonly [what: string, asked: Asked, status: number][] = [
    ['takes who has the token', { token: ADMIN }, 200],
    ['takes who has the token, to change something', { ...POST, token: ADMIN }, 200],
    ['takes the name of a proxy', { host: 'admin.example', token: ADMIN }, 200],
    ['takes pages of that name', { host: 'admin.example', origin: 'https://admin.example', token: ADMIN }, 200],
    ['refuses pages of others, whatever token they have', { origin: 'http://evil.example', token: ADMIN }, 403],
    ['refuses who has none', {}, 401],
    ['refuses a name that was made to lead here', { host: 'evil.example' }, 401],
    ['refuses another token', { token: 'b'.repeat(43) }, 401],
    ['refuses the beginning of the token', { token: ADMIN.slice(1) }, 401],
    ['does not say what there is to who has none', { path: '/api/nothing' }, 401],
    ['refuses metrics to who has none', { path: '/metrics' }, 401],
    ['shows metrics to who may read', { path: '/metrics', token: READER }, 200],
    ['lets who may read, read', { token: READER }, 200],
    ['does not let who may read change something', { ...POST, token: READER }, 403],
    ['says that it lives to everybody', { path: '/livez' }, 200],
    ['says that it is ready to everybody', { path: '/readyz?verbose' }, 200],
    ['says it at that path alone', { path: '/livez/../api/about' }, 401],
  ];
  for (const [what, asked, status] of cases) {
    test(what, async () => {
      await using admin = await startAdmin({ visitorOf: knownVisitors({ admin: ADMIN, reader: READER }) });
      const answer = await admin.ask(asked);
      assert.equal(answer.status, status, answer.body);
      assert.equal(answer.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined);
      for (const token of [ADMIN, READER]) assert.ok(!answer.body.includes(token));
    });
  }

  test('shows metrics to everybody where it is told to, and nothing else', async () => {
    const visitorOf = knownVisitors({ admin: ADMIN, reader: READER });
    await using admin = await startAdmin({ visitorOf, opensMetrics: true });
    assert.equal((await admin.ask({ path: '/metrics' })).body, 'up 1\n');
    assert.equal((await admin.ask({})).status, 401);
  });
});
