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

/** A Broker; `default` in `default` unless it says otherwise. */
export function broker(delivery?: unknown, { name = 'default', namespace = 'default' } = {}): string {
  return document('Broker', { name, namespace }, { delivery });
}

/** A Trigger of the broker `default` unless it says otherwise, with a URL as its subscriber. */
export function trigger(name: string, subscriber: string, options: TriggerOptions = {}): string {
  const { namespace = 'default', broker = 'default', annotations, ...spec } = options;
  return document('Trigger', { name, namespace, annotations }, { broker, subscriber: { uri: subscriber }, ...spec });
}

function document(kind: string, metadata: unknown, spec: unknown): string {
  return `---\n${JSON.stringify({ apiVersion: 'eventing.knative.dev/v1', kind, metadata, spec })}\n`;
}
