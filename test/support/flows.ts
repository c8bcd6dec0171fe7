import type { FunctionHost } from '@millrace/bus/control/ports';
import type { CloudEvent } from '@millrace/event/event';
import { makeEvent } from '@millrace/event/event';
import { unavailable } from '@millrace/functions/unavailable';

import type { Respond } from './subscriber.ts';

/** Channels and flows for a test, as YAML (of which JSON is a part). Several are joined as they are. */

export interface Named {
  readonly name: string;
  readonly namespace?: string;
  readonly annotations?: Record<string, string>;
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  Channel: 'messaging.knative.dev/v1',
  InMemoryChannel: 'messaging.knative.dev/v1',
  KafkaChannel: 'messaging.knative.dev/v1beta1',
  Subscription: 'messaging.knative.dev/v1',
  Sequence: 'flows.knative.dev/v1',
  Parallel: 'flows.knative.dev/v1',
  Choice: 'flows.millrace.dev/v1alpha1',
  Map: 'flows.millrace.dev/v1alpha1',
  EventTransform: 'eventing.knative.dev/v1alpha1',
  Service: 'serving.knative.dev/v1',
  Broker: 'eventing.knative.dev/v1',
  Trigger: 'eventing.knative.dev/v1',
};

/** A document of a kind; in `default` unless it says otherwise. */
export function declare(kind: string, named: string | Named, spec: unknown = {}): string {
  const { annotations, name, namespace = 'default' } = typeof named === 'string' ? { name: named } : named;
  const metadata = { name, namespace, ...(annotations === undefined ? {} : { annotations }) };
  return `---\n${JSON.stringify({ apiVersion: API_VERSIONS[kind], kind, metadata, spec })}\n`;
}

/** A reference to something declared, as a Destination. */
export function refTo(kind: string, name: string): { ref: { apiVersion: string; kind: string; name: string } } {
  return { ref: { apiVersion: API_VERSIONS[kind]!, kind, name } };
}

/** A function of this name. Whoever runs the bus says what it does: {@link functionsOf}. */
export function service(name: string): string {
  return declare('Service', name, { template: { spec: { containers: [{ image: name }] } } });
}

/** Retries without a wait. */
export const AT_ONCE = { backoffPolicy: 'linear', backoffDelay: 'PT0S' };

/** An answer that is an event in binary mode, with JSON data where there are some. */
export function replyEvent(type: string, data?: unknown, attributes: Record<string, string> = {}): Respond {
  const all = { specversion: '1.0', id: `reply-${type}`, source: '/reply', type, ...attributes };
  const headers = Object.fromEntries(Object.entries(all).map(([name, value]) => [`ce-${name}`, value]));
  if (data === undefined) return { status: 200, headers };
  return { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(data) };
}

/** What an event's data say, as JSON; undefined without data. */
export function jsonOf(event: CloudEvent | undefined): unknown {
  return event?.data === undefined ? undefined : JSON.parse(Buffer.from(event.data).toString());
}

/** What a function of a test does with the data of an event: gives those of its reply. */
export type Work = (data: unknown, event: CloudEvent) => unknown;

/** Declared functions as plain code, by the name of their Service. Undefined is no reply. */
export function functionsOf(works: Readonly<Record<string, Work>>): FunctionHost {
  return {
    start({ service: name }) {
      const work = works[name];
      if (work === undefined) return { ...unavailable('CodeNotFound', `no code for ${name}`), change() {} };
      return {
        ...unavailable('', ''),
        async handler(event) {
          const data = await work(jsonOf(event), event);
          if (data === undefined) return { status: 204 };
          const attributes = {
            specversion: '1.0',
            id: `${event.id}.${name}`,
            source: `/functions/${name}`,
            type: `${name}.done`,
            datacontenttype: 'application/json',
          };
          return { status: 200, event: makeEvent(attributes, Buffer.from(JSON.stringify(data))) };
        },
        status: () => ({
          instances: 1,
          inFlight: 0,
          waiting: 0,
          state: 'running',
          reason: '',
          message: '',
          notes: [],
        }),
        change() {},
      };
    },
  };
}
