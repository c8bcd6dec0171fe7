import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

import { ProxyAgent, EnvHttpProxyAgent, fetch as undiciFetch } from 'undici';

import { refusal } from '../../../../test/support/problem.ts';
import { exchange } from '../../../../test/support/raw.ts';
import { broker } from '../../../../test/support/manifests.ts';
import { echo, serve, service } from './functions.fixture.ts';
import type { Echo, Listener, Served } from './functions.fixture.ts';

const run = promisify(execFile);
const HELLO = service('hello');
const CLUSTER = 'http://hello.default.svc.cluster.local';
const absolute = (url: string, ...lines: string[]) =>
  [`GET ${url} HTTP/1.1`, 'host: whatever', 'connection: close', ...lines, '', ''].join('\r\n');

/** A server outside of the cluster. */
async function startOther(listener: Listener = echo) {
  const server = createServer((request, response) => void listener(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const proxyOf = (on: Served) => on.at.bus.proxyUrl!;
const environment = (on: Served) => ({
  PATH: process.env['PATH'],
  HTTP_PROXY: proxyOf(on),
  http_proxy: proxyOf(on),
  NO_PROXY: '127.0.0.1,localhost,::1',
});

describe('through the proxy', () => {
  test('it is there once a Service is declared', async () => {
    await using on = await serve('');
    assert.equal(on.at.bus.proxyUrl, undefined);
    await on.at.apply(HELLO);
    assert.match(proxyOf(on), /^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test('a name of the cluster leads to its function, with every client', async () => {
    await using on = await serve(HELLO);
    const raw = await exchange(proxyOf(on), absolute(`${CLUSTER}/a?b=1`));
    assert.deepEqual([raw.status, (JSON.parse(raw.body) as Echo).path], [200, '/a?b=1']);
    for (const proxyTunnel of [true, false]) {
      const agent = new ProxyAgent({ uri: proxyOf(on), proxyTunnel });
      const answer = await undiciFetch(`${CLUSTER}/x`, { dispatcher: agent, method: 'POST', body: 'tunnel' });
      const seen = (await answer.json()) as Echo;
      assert.deepEqual([seen.path, seen.body, seen.headers['x-workload']], ['/x', 'tunnel', 'default/hello']);
      await agent.close();
    }
    const fromEnvironment = new EnvHttpProxyAgent({ httpProxy: proxyOf(on) });
    const answer = await undiciFetch(CLUSTER, { dispatcher: fromEnvironment });
    assert.equal(((await answer.json()) as Echo).path, '/');
    await fromEnvironment.close();
  });

  for (const [program, ...args] of [
    ['curl', '-sS', '-d', 'body', `${CLUSTER}/p`],
    ['python3', '-c', `import urllib.request as r; print(r.urlopen("${CLUSTER}/p", b"body").read().decode())`],
    [
      process.execPath,
      '--use-env-proxy',
      '-e',
      `fetch("${CLUSTER}/p", { method: "POST", body: "body" }).then((it) => it.text()).then(console.log)`,
    ],
  ]) {
    test(`${program!.split('/').at(-1)} with the usual variables finds the function`, async (it) => {
      await using on = await serve(HELLO);
      try {
        const { stdout } = await run(program!, args, { env: environment(on), timeout: 20_000 });
        const seen = JSON.parse(stdout) as Echo;
        assert.deepEqual([seen.path, seen.body], ['/p', 'body']);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        it.skip(`there is no ${program} here`);
      }
    });
  }

  test('a broker has its address, too', async () => {
    await using on = await serve(HELLO + broker());
    const event = ['ce-specversion: 1.0', 'ce-id: 1', 'ce-source: /s', 'ce-type: t', 'content-length: 0'];
    const url = 'http://broker-ingress.knative-eventing.svc.cluster.local/default/default';
    const { status } = await exchange(proxyOf(on), absolute(url, ...event).replace('GET', 'POST'));
    assert.equal(status, 202);
    assert.equal(on.at.entries().length, 1);
  });

  test('every other host is asked as if there were no proxy, streamed', async () => {
    await using on = await serve(HELLO);
    const go = Promise.withResolvers<void>();
    await using other = await startOther(async (request, response) => {
      request.resume();
      response.writeHead(201, { 'x-path': request.url!, 'x-host': request.headers.host! });
      response.write('first');
      await go.promise;
      response.end('second');
    });
    const { port } = new URL(proxyOf(on));
    const path = `http://${other.host}/in?x`;
    const outgoing = httpRequest({
      port,
      host: '127.0.0.1',
      path,
      headers: { host: other.host, 'proxy-connection': 'keep-alive' },
    });
    const [answer] = (await once(outgoing.end(), 'response')) as [IncomingMessage];
    assert.deepEqual(
      [answer.statusCode, answer.headers['x-path'], answer.headers['x-host']],
      [201, '/in?x', other.host],
    );
    assert.equal(String((await once(answer, 'data'))[0]), 'first');
    go.resolve();
    assert.equal(await text(answer), 'second');
  });

  test('a tunnel to another host is a tunnel', async () => {
    await using on = await serve(HELLO);
    await using other = await startOther();
    const { port } = new URL(proxyOf(on));
    const asking = httpRequest({ port, host: '127.0.0.1', method: 'CONNECT', path: other.host }).end();
    const [, socket] = (await once(asking, 'connect')) as [IncomingMessage, Socket];
    socket.write('GET /through HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    assert.match(await text(socket), /"path":"\/through"/);
  });

  test('a host that is not there is a 502 with the reason', async () => {
    await using on = await serve(HELLO);
    const free = await startOther();
    await free[Symbol.asyncDispose]();
    const answer = await exchange(proxyOf(on), absolute(`http://${free.host}/`));
    assert.match(refusal(answer, answer.body, 502).detail, /ECONNREFUSED/);
    const tunnel = await exchange(proxyOf(on), `CONNECT ${free.host} HTTP/1.1\r\nhost: x\r\n\r\n`);
    assert.match(refusal(tunnel, tunnel.body, 502).detail, /ECONNREFUSED/);
  });

  test('what makes no sense is refused with words: itself, TLS to the cluster, no address', async () => {
    await using on = await serve(HELLO);
    const { host, port } = new URL(proxyOf(on));
    const ask = async (bytes: string, status: number) => {
      const answer = await exchange(proxyOf(on), bytes);
      return refusal(answer, answer.body, status).detail;
    };
    assert.match(await ask(absolute(`http://${host}/`), 508), /itself/);
    assert.match(await ask(absolute(`http://localhost:${port}/`), 508), /itself/);
    assert.match(await ask(absolute('/path'), 400), /forward proxy/);
    assert.match(await ask(absolute('ftp://x/'), 400), /forward proxy/);
    const tunnelTo = (to: string) => `CONNECT ${to} HTTP/1.1\r\nhost: x\r\n\r\n`;
    assert.match(await ask(tunnelTo(host), 508), /itself/);
    assert.match(await ask(tunnelTo('hello.default.svc.cluster.local:443'), 502), /plain HTTP here/);
    assert.match(await ask(tunnelTo('nonsense'), 400), /CONNECT host:port/);
  });

  test('aliases of the bus count', async () => {
    await using other = await startOther();
    await using on = await serve(HELLO, { aliases: { 'search.example:80': other.host } });
    const answer = await exchange(proxyOf(on), absolute('http://search.example/q'));
    assert.equal((JSON.parse(answer.body) as Echo).path, '/q');
  });
});
