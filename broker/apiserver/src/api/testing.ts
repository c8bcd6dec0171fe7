import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import { openMemoryObjects } from '../objects/memory.ts';
import type { ObjectStore } from '../objects/store.ts';
import { registryOf, servedKinds } from '../registry/registry.ts';
import { apiServer } from './api-server.ts';
import type { ApiEnvironment } from './environment.ts';
import { ensureNamespaces } from './namespaces.ts';
import { resourcesAdmission } from './resources-admission.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';
import { LOCAL_USER } from './visitor.ts';
import type { Visitor } from './visitor.ts';

/** When tests begin: the clock stands there until it is moved. */
export const START = Date.parse('2026-01-02T03:04:05Z');

/** A clock of tests: time passes when it is told to. */
export interface TestClock extends ApiEnvironment {
  /** Lets so many milliseconds pass, and calls back what is due. */
  pass(milliseconds: number): void;
}

/** A clock that stands at {@link START}; its uids count from 1. */
export function testClock(): TestClock {
  let now = START;
  let uids = 0;
  const due = new Set<{ at: number; call: () => void }>();
  return {
    now: () => now,
    uid: () => `00000000-0000-4000-8000-${String(++uids).padStart(12, '0')}`,
    after(milliseconds, call) {
      const timer = { at: now + milliseconds, call };
      due.add(timer);
      return () => due.delete(timer);
    },
    pass(milliseconds) {
      now += milliseconds;
      for (const timer of due) {
        if (timer.at > now) continue;
        due.delete(timer);
        timer.call();
      }
    },
  };
}

/** An answer, its body read as JSON where it is JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: any;
}

/** An API over HTTP on a free port, over a store in memory with the namespaces `default` and `shop`. */
export interface TestApi extends AsyncDisposable {
  readonly url: string;
  readonly store: ObjectStore;
  readonly clock: TestClock;
  /** What the API took for faults of its own. */
  readonly failures: unknown[];
  /** A request. Bodies are sent as JSON unless they are bytes; `type` is their content type. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** A watch; its events come one by one. It ends when it is disposed of. */
  watch(path: string, headers?: Record<string, string>): Promise<TestWatch>;
}

/** The events of a watch. */
export interface TestWatch extends Disposable {
  /** The next event; undefined when the stream is over. */
  next(): Promise<{ type: string; object: any } | undefined>;
}

/** Starts one. `visitorOf` says who asks; default: the user of this machine. */
export async function startApi(
  visitorOf: (request: IncomingMessage) => Visitor | undefined = () => LOCAL_USER,
  tokens?: ServiceAccountTokens,
): Promise<TestApi> {
  const clock = testClock();
  const store = openMemoryObjects(clock);
  await ensureNamespaces(store, ['default', 'shop']);
  const failures: unknown[] = [];
  const api = apiServer({
    store,
    registry: registryOf(servedKinds()),
    admission: resourcesAdmission(),
    version: '0.0.0',
    failed: (error) => failures.push(error),
    tokens,
    environment: clock,
  });
  const server = createServer((request, response) => {
    if (!api.take(request, response, visitorOf(request))) response.writeHead(404).end('not ours');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    store,
    clock,
    failures,
    async ask(method, path, body, headers = {}) {
      const isRaw = body === undefined || body instanceof Uint8Array || typeof body === 'string';
      const response = await fetch(url + path, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
    },
    async watch(path, headers = {}) {
      // As node reads it: through the streams of fetch, many events take many times as long.
      const request = get(url + path, { headers, agent: false });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      const lines = linesOf(response.setEncoding('utf8'));
      return {
        async next() {
          const { value, done } = await lines.next();
          return done === true ? undefined : (JSON.parse(value) as { type: string; object: unknown });
        },
        [Symbol.dispose]: () => request.destroy(),
      };
    },
    async [Symbol.asyncDispose]() {
      api.close();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await store.close();
    },
  };
}

async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<string, undefined> {
  let rest = '';
  for await (const chunk of texts) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
  return undefined;
}

/** A valid Trigger. */
export function trigger(name: string, more: { metadata?: object; spec?: object } = {}) {
  return {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    metadata: { name, ...more.metadata },
    spec: { broker: 'default', subscriber: { uri: 'http://localhost:1/' }, ...more.spec },
  };
}

/** Where Triggers are, in the namespace `default`. */
export const TRIGGERS = '/apis/eventing.knative.dev/v1/namespaces/default/triggers';

/** What kubectl asks for to show a table. */
export const AS_TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
