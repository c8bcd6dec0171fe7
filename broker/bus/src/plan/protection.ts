import type { Filter } from '@millrace/resources/filter';

/** What decides about who is authenticated where no policy is for it (Knative's `default-authorization-mode`). */
export type AuthorizationMode = 'allow-same-namespace' | 'allow-all' | 'deny-all';

/** Who may send events to an address. */
export interface Protection {
  /** The key of the resource. */
  readonly key: string;
  readonly namespace: string;
  /** On the data port. */
  readonly path: string;
  /** What it takes events into; undefined where it has no topic. */
  readonly topic: string | undefined;
  /** What tokens for it must be made for: `eventing.knative.dev/broker/default/orders`. */
  readonly audience: string;
  /** One of them must let an event pass. With none, the mode decides. */
  readonly policies: readonly AppliedPolicy[];
  readonly mode: AuthorizationMode;
}

/** An EventPolicy, as far as it is for one address. */
export interface AppliedPolicy {
  readonly name: string;
  /** Subjects of tokens, or beginnings of them with `*` after it. */
  readonly subjects: readonly string[];
  /** All must pass. */
  readonly filters: readonly Filter[];
}

/** Who a resource is when it sends. */
export interface SenderIdentity {
  readonly namespace: string;
  readonly serviceAccount: string;
}
