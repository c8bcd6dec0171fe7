import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { openAdmin } from '@millrace/bus/admin/admin';
import type { FunctionsPort, FunctionView, RevisionView, WrittenLine } from '@millrace/bus/admin/functions';
import { scalingOf } from '@millrace/resources/scaling';

import { runMillrace } from '../../testing/millrace.ts';
import type { Ended } from '../../testing/millrace.ts';

/** A request that came to the data port. */
export interface Called {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An admin port over functions that are made up, and a data port that answers as it is told. */
export interface FakeFunctions extends AsyncDisposable {
  readonly admin: string;
  readonly dataUrl: string;
  readonly views: FunctionView[];
  /** What was asked of the functions, in words. */
  readonly asked: string[];
  readonly called: Called[];
  /** A function writes a line, to whoever follows it too. */
  write(line: Partial<WrittenLine>): void;
  /** How many follow. */
  readonly followers: number;
  answer(how: (called: Called, response: ServerResponse) => void): void;
  run(args: readonly string[], input?: string | Uint8Array): Promise<Ended>;
}

export async function startFakeFunctions(views: FunctionView[]): Promise<FakeFunctions> {
  const asked: string[] = [];
  const called: Called[] = [];
  const lines: WrittenLine[] = [];
  const listeners = new Set<(line: WrittenLine) => void>();
  let how = (_called: Called, response: ServerResponse): void => void response.end('answer');
  const data = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url: path = '', headers } = request;
      const call = { method, path, headers, body };
      called.push(call);
      how(call, response);
    });
  });
  await once(data.listen(0, '127.0.0.1'), 'listening');
  const dataUrl = `http://127.0.0.1:${(data.address() as AddressInfo).port}`;

  const functions: FunctionsPort = {
    list: () => views,
    describe: (name) => views.find((it) => it.name === name),
    scale: (name, { min, max }) => {
      if (typeof min === 'number' && typeof max === 'number' && min > max) {
        throw new Error(`min: expected at most max, ${max}, got ${min}`);
      }
      asked.push(`scale ${name} ${min} ${max}`);
    },
    async rollback(name, to) {
      asked.push(`rollback ${name} ${to}`);
      if (to === 'none') throw new Error('it has not got a revision none');
      return to ?? 'agent-00001';
    },
    logs: () => ({
      lines: () => lines,
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    }),
  };
  const admin = openAdmin({
    store: undefined as never,
    about: () => ({ dataUrl }),
    resources: () => [],
    verdicts: () => [],
    redrive: async () => 0,
    checks: () => ({}),
    metrics: { text: async () => '', contentType: 'text/plain' },
    functions,
  });
  const url = await admin.listen({ host: '127.0.0.1', port: 0 });
  return {
    admin: url,
    dataUrl,
    views,
    asked,
    called,
    write(line) {
      const whole = { ...LINE, ...line };
      lines.push(whole);
      for (const listener of listeners) listener(whole);
    },
    get followers() {
      return listeners.size;
    },
    answer(next) {
      how = next;
    },
    run: (args, input) => runMillrace(['fn', ...args], { environment: { MILLRACE_ADMIN: url }, input }),
    async [Symbol.asyncDispose]() {
      await admin.close();
      data.closeAllConnections();
      await new Promise((resolve) => data.close(resolve));
    },
  };
}

const LINE: WrittenLine = { function: 'default/agent', instance: '1', stream: 'stdout', text: 'hello', time: 0 };

/** A function that runs, but for what is said. */
export function sampleFunction(changes: Partial<FunctionView> = {}): FunctionView {
  const { namespace = 'default', service = 'agent' } = changes;
  return {
    name: `${namespace}/${service}`,
    namespace,
    service,
    state: 'running',
    reason: '',
    message: '',
    url: `http://${service}.${namespace}.svc.cluster.local`,
    code: { language: 'node', file: '/code/agent.ts', command: undefined },
    revisions: [sampleRevision()],
    environment: ['GREETING', 'TOKEN'],
    scaling: scalingOf(undefined),
    limits: {},
    notes: [],
    ...changes,
  };
}

/** A revision that has all calls, but for what is said. */
export function sampleRevision(changes: Partial<RevisionView> = {}): RevisionView {
  return {
    name: 'agent-00002',
    createdAt: new Date().toISOString(),
    percent: 100,
    tags: [],
    state: 'running',
    reason: '',
    message: '',
    instances: 2,
    inFlight: 4,
    waiting: 0,
    desired: 3,
    isPinned: false,
    ...changes,
  };
}
