import { Type } from 'typebox';
import { complaint } from './fault.ts';
import type { Metadata } from './metadata.ts';
import type { Rule } from './schema.ts';

/** The annotation that says that a channel can be subscribed to. */
export const SUBSCRIBABLE = 'messaging.knative.dev/subscribable';

const nobodyRule: Rule<readonly unknown[]> = (subscribers, path, tell) => {
  if (subscribers.length === 0) return;
  const text = `must not set the field(s): ${path}`;
  tell.fault(complaint(path, 'no subscribers: each Subscription names its channel', 'a list of them', { text }));
};

/** `spec.subscribers` of a channel: Knative's controller writes it, and nobody else. */
export const SubscribersSchema = Type.Optional(
  Type.Array(Type.Unknown(), { rule: nobodyRule, expected: 'no subscribers' }),
);

/** What every channel says of itself, in place. */
export function completeSubscribable(metadata: Metadata): void {
  metadata.annotations = { [SUBSCRIBABLE]: 'v1', ...metadata.annotations };
}
