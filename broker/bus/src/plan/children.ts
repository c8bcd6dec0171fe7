import type { ChannelTemplate } from '@millrace/resources/channel-template';

import type { Trouble } from './conditions.ts';
import type { Status } from './plan.ts';
import { childChannel } from './channel.ts';
import { subscriptionConditions } from './subscription.ts';

/** What a flow makes, as Knative shows it: the parts by their names, and where they stand. */
export interface Child {
  readonly status: Status;
  /** As the owner's status refers to it. */
  readonly reference: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  };
}

/** What a flow says of a subscription that it makes. */
export interface MadeSubscription {
  readonly channel: Child['reference'];
  readonly subscriber: object;
  readonly reply?: object | undefined;
  readonly delivery?: object | undefined;
}

interface Named {
  readonly namespace: string;
  readonly name: string;
  readonly owner: string;
}

/** A channel of the kind that the flow's template says. */
export function makeChannel(named: Named, { apiVersion, kind, spec = {} }: ChannelTemplate, url: string): Child {
  const { namespace, name } = named;
  const status = { ...childChannel({ kind, ...named, url }), spec };
  return { status, reference: { apiVersion, kind, namespace, name } };
}

/** The subscription that feeds a part of the flow. */
export function makeSubscription(named: Named, said: MadeSubscription, trouble: Trouble | undefined): Child {
  const { namespace, name } = named;
  const kind = 'Subscription';
  return {
    status: { kind, ...named, conditions: subscriptionConditions(trouble), spec: { ...said } },
    reference: { apiVersion: 'messaging.knative.dev/v1', kind, namespace, name },
  };
}

/** `{channel | subscription, ready}`, as `status.channelStatuses` and the like list them. */
export function shown({ status, reference }: Child, as: 'channel' | 'subscription'): Record<string, unknown> {
  return { [as]: reference, ready: status.conditions[0] };
}

/** The status of a flow and those of what it has made, by key. */
export function statusesOf(key: string, own: Status, children: readonly Child[]): ReadonlyMap<string, Status> {
  const byKey = children.map(({ status }) => [`${status.kind}/${status.namespace}/${status.name}`, status] as const);
  return new Map([[key, own], ...byKey]);
}
