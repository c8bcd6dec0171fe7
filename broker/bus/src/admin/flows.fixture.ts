import type { AddressInfo } from 'node:net';

import type { TestBus } from '../../../../test/support/bus.ts';
import { graphOf } from '../plan/graph.ts';
import { usageIn } from '../telemetry/usage.ts';
import { openAdmin } from './admin.ts';

/** The admin port of a bus, with what it knows of flows. */
export interface FlowAdmin extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** Resolves with the status and the JSON of an answer. */
  get(path: string): Promise<{ status: number; body: unknown }>;
  /** The same, with a JSON body. */
  post(path: string, body: unknown): Promise<{ status: number; body: unknown }>;
}

export async function openFlowAdmin({
  bus,
  url: dataUrl,
  folder,
}: Pick<TestBus, 'bus' | 'url' | 'folder'>): Promise<FlowAdmin> {
  const server = openAdmin({
    store: bus.store,
    about: () => ({ version: '0.0.0', dataUrl, dataFolder: folder }),
    resources: () => [...bus.control.statuses().values()],
    verdicts: (entry) => bus.verdicts(entry),
    redrive: (selected) => bus.redrive(selected),
    flows: {
      routes: () => [...bus.control.plan.routes, ...[...bus.dispatcher.routes].map((it) => it.route)],
      usageOf: usageIn,
      graph: () => graphOf(bus.control.plan),
    },
    seek: bus.seeking,
    checks: () => ({}),
    metrics: { text: async () => '', contentType: 'text/plain' },
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  return {
    url,
    get: (path) => answerOf(fetch(url + path)),
    post: (path, body) =>
      answerOf(
        fetch(url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      ),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

async function answerOf(asked: Promise<Response>): Promise<{ status: number; body: unknown }> {
  const response = await asked;
  return { status: response.status, body: await response.json() };
}

const TEMPLATE = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel' };

function document(apiVersion: string, kind: string, name: string, spec: object, annotations: object = {}): string {
  return `---\n${JSON.stringify({ apiVersion, kind, metadata: { name, annotations }, spec })}\n`;
}

/** Manifests of flows in the namespace default. */
export const flow = {
  sequence: (name: string, spec: object) =>
    document('flows.knative.dev/v1', 'Sequence', name, { channelTemplate: TEMPLATE, ...spec }),
  parallel: (name: string, spec: object, annotations: object = {}) =>
    document('flows.knative.dev/v1', 'Parallel', name, { channelTemplate: TEMPLATE, ...spec }, annotations),
  choice: (name: string, spec: object) => document('flows.millrace.dev/v1alpha1', 'Choice', name, spec),
  map: (name: string, spec: object) => document('flows.millrace.dev/v1alpha1', 'Map', name, spec),
  trigger: (name: string, spec: object) =>
    document('eventing.knative.dev/v1', 'Trigger', name, { broker: 'default', ...spec }),
};
