import type { FunctionDescription } from '@millrace/functions/functions';
import type { ServiceSpec } from '@millrace/resources/service';

/** The version under which Serving's kinds are. */
export const SERVING = 'serving.knative.dev/v1';

/** The type of revisions. */
export const REVISION = { group: 'serving.knative.dev', kind: 'Revision' } as const;

/** The kinds that are made of Services: they are looked at, and changed by changing the Service. */
export const SERVING_VIEWS: readonly { readonly group: string; readonly kind: string }[] = [
  { group: 'serving.knative.dev', kind: 'Configuration' },
  REVISION,
  { group: 'serving.knative.dev', kind: 'Route' },
  { group: '', kind: 'Pod' },
];

/** A Service and what runs of it. */
export interface ServedFunction {
  readonly namespace: string;
  readonly name: string;
  /** What the Service says. */
  readonly spec: ServiceSpec | undefined;
  /** Undefined while it cannot run. */
  readonly description: FunctionDescription | undefined;
  /** Where it is called from outside. */
  readonly url: string;
}

/** The container of a function has this name where it says none (serving/pkg/apis/config). */
export const USER_CONTAINER = 'user-container';
