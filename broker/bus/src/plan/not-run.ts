import type { AnyResource } from '@millrace/resources/any-resource';
import { whyNotRun } from '@millrace/resources/not-run';
import type { KindNotRun } from '@millrace/resources/not-run';

import { conditionsOf } from './conditions.ts';
import type { Trouble } from './conditions.ts';
import type { Status } from './plan.ts';

/** The conditions that Knative gives each kind; an IntegrationSource may be run, and has its own file. */
const CONDITIONS: Readonly<Record<Exclude<KindNotRun, 'IntegrationSource'>, readonly string[]>> = {
  ContainerSource: ['SinkBindingReady', 'ReceiveAdapterReady'],
  SinkBinding: [
    'SinkBindingAvailable',
    'SinkProvided',
    'OIDCIdentityCreated',
    'OIDCTokenSecretCreated',
    'TrustBundlePropagated',
  ],
  IntegrationSink: ['Addressable', 'DeploymentReady', 'EventPoliciesReady', 'TrustBundlePropagated'],
  JobSink: ['Addressable', 'EventPoliciesReady'],
  KafkaSink: ['Addressable', 'DataPlaneAvailable', 'TopicReady', 'ProbeSucceeded', 'EventPoliciesReady'],
};

/** The status of a resource that is understood and not run: nothing of it holds, and each condition says why. */
export function statusOfNotRun(
  resource: Extract<AnyResource, { kind: Exclude<KindNotRun, 'IntegrationSource'> }>,
): Status {
  const { kind, metadata } = resource;
  const types = CONDITIONS[kind];
  const trouble = troubleOfNotRun(resource);
  return {
    kind,
    namespace: metadata.namespace,
    name: metadata.name,
    conditions: conditionsOf(types, Object.fromEntries(types.map((type) => [type, trouble]))),
  };
}

/** Why a resource is not run; undefined for one that is. */
export function troubleOfNotRun({ kind, spec }: Extract<AnyResource, { spec: unknown }>): Trouble | undefined {
  const message = whyNotRun(kind, spec);
  return message === undefined ? undefined : { reason: 'NotSupported', message };
}
