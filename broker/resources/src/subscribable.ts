import { Type } from 'typebox';
import { completeDelivery } from './delivery.ts';
import type { DeliverySpec } from './delivery.ts';
import { complaint, show } from './fault.ts';
import type { Metadata } from './metadata.ts';
import { join } from './path.ts';
import type { Rule } from './schema.ts';
import { eventTypeAnnotationsRule } from './schema-validation.ts';

/** Says which version of subscribing a channel knows; always `v1`. */
export const SUBSCRIBABLE = 'messaging.knative.dev/subscribable';
/** Where the dispatcher of a Knative channel runs: `cluster` (the default) or `namespace`. Checked, and of no effect here. */
export const SCOPE = 'eventing.knative.dev/scope';

const nobodyRule: Rule<readonly unknown[]> = (subscribers, path, tell) => {
  if (subscribers.length === 0) return;
  const text = `must not set the field(s): ${path}`;
  tell.fault(complaint(path, 'none: each Subscription names its channel', show(path, subscribers), { text }));
};

/** `spec.subscribers` of a channel, which a controller of Knative writes and nobody else. An empty list is dropped. */
export const SubscribersSchema = Type.Optional(
  Type.Array(Type.Unknown(), { rule: nobodyRule, expected: 'no subscribers' }),
);

/** The rule of channels that stand for themselves, about their annotations. */
export const channelRule: Rule<{ metadata?: { annotations?: Record<string, unknown> } }> = (channel, path, tell) => {
  eventTypeAnnotationsRule(channel, path, tell);
  const scope = channel.metadata?.annotations?.[SCOPE];
  if (scope === undefined || scope === 'cluster' || scope === 'namespace') return;
  const text = `invalid value: ${show('', scope)}`;
  tell.fault(complaint(join('metadata.annotations', SCOPE), '"cluster" or "namespace"', show('', scope), { text }));
};

/** Completes what all kinds of channels have, in place. */
export function completeSubscribable(channel: {
  metadata: Metadata;
  spec: { delivery?: DeliverySpec; subscribers?: unknown[] };
}): void {
  const { metadata, spec } = channel;
  metadata.annotations = { [SUBSCRIBABLE]: 'v1', ...metadata.annotations };
  completeDelivery(spec.delivery, metadata.namespace);
  delete spec.subscribers;
}
