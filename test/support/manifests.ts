/** A Broker or Trigger for a test, as YAML (of which JSON is a part). Several are joined as they are. */

interface Filtering {
  readonly filter?: unknown;
  readonly filters?: unknown;
}

export interface TriggerOptions extends Filtering {
  readonly namespace?: string;
  readonly broker?: string;
  readonly delivery?: unknown;
  readonly annotations?: Record<string, string>;
}

export interface BrokerOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly annotations?: Record<string, string>;
}

/** A Broker; `default` in `default` unless it says otherwise. */
export function broker(delivery?: unknown, options: BrokerOptions = {}): string {
  const { name = 'default', namespace = 'default', annotations } = options;
  return document('Broker', { name, namespace, annotations }, { delivery });
}

/** An EventType whose data is as a JSON Schema says, of the broker `default` unless it says otherwise. */
export function eventType(name: string, type: string, schema: unknown, spec: object = {}): string {
  const reference = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' };
  const said = { type, schemaData: JSON.stringify(schema), reference, ...spec };
  return document('EventType', { name }, said, 'v1beta2');
}

/** A Trigger of the broker `default` unless it says otherwise, with a URL as its subscriber. */
export function trigger(name: string, subscriber: string, options: TriggerOptions = {}): string {
  const { namespace = 'default', broker = 'default', annotations, ...spec } = options;
  return document('Trigger', { name, namespace, annotations }, { broker, subscriber: { uri: subscriber }, ...spec });
}

function document(kind: string, metadata: unknown, spec: unknown, version = 'v1'): string {
  return `---\n${JSON.stringify({ apiVersion: `eventing.knative.dev/${version}`, kind, metadata, spec })}\n`;
}
