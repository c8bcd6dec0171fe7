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

interface Named {
  readonly namespace: string;
  readonly name: string;
  readonly owner: string;
}

/** A channel of the kind that the flow's template says. */
export function makeChannel(
  named: Named,
  { apiVersion, kind }: { apiVersion: string; kind: string },
  url: string,
): Child {
  const { namespace, name } = named;
  return { status: childChannel({ kind, ...named, url }), reference: { apiVersion, kind, namespace, name } };
}

/** The subscription that feeds a part of the flow. */
export function makeSubscription(named: Named, trouble: Trouble | undefined): Child {
  const { namespace, name } = named;
  const kind = 'Subscription';
  return {
    status: { kind, ...named, conditions: subscriptionConditions(trouble) },
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
