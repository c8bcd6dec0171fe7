import type { ApiServerSource } from '@millrace/resources/api-server-source';
import { BROKER_DELIVERY } from '@millrace/resources/broker';
import { keyOf } from '@millrace/resources/resource';

import { addressOf } from './address.ts';
import { conditionsOf } from './conditions.ts';
import { deliveryOf } from './delivery.ts';
import { filterFault } from './parts.ts';
import type { ApiServerFeed, PlanFault, Status } from './plan.ts';
import { planSink } from './sources.ts';
import type { PlannedSource } from './sources.ts';
import type { World } from './world.ts';

const CONDITIONS = ['SinkProvided', 'Deployed', 'SufficientPermissions', 'OIDCIdentityCreated'];

/** An ApiServerSource watches objects, and fills its sink's topic, or one of its own, in the order of their changes. */
export function planApiServerSource(
  source: ApiServerSource,
  world: World,
  dataUrl: string,
): PlannedSource & { readonly fault: PlanFault | undefined } {
  const { metadata, spec } = source;
  const { namespace, name } = metadata;
  const planned = planSink(source, spec.sink, deliveryOf(BROKER_DELIVERY, { ordered: false }), world);
  const filter = spec.filters === undefined ? {} : { filters: spec.filters };
  const fault = filterFault(filter, 'spec.', keyOf(source));
  const status: Status = {
    kind: source.kind,
    namespace,
    name,
    conditions: conditionsOf(CONDITIONS, { SinkProvided: planned.trouble }),
    details: {
      sinkUri: addressOf(spec.sink, namespace, world, dataUrl),
      namespaces: namespacesOf(source),
    },
  };
  if (planned.trouble !== undefined || fault !== undefined) return { feed: undefined, route: undefined, status, fault };
  const options: ApiServerFeed = {
    namespace,
    name,
    mode: spec.mode,
    resources: spec.resources,
    ...(spec.owner === undefined ? {} : { owner: spec.owner }),
    ...(spec.namespaceSelector === undefined ? {} : { namespaceSelector: spec.namespaceSelector }),
    filter,
    extensions: spec.ceOverrides?.extensions ?? {},
  };
  return {
    feed: { name: planned.name, key: keyOf(source), topic: planned.topic, kind: source.kind, options },
    route: planned.route,
    status,
    fault,
  };
}

/** As Knative shows them: '' for all. Those of labels come and go, and are not known here. */
function namespacesOf({ metadata, spec: { namespaceSelector } }: ApiServerSource): string[] | undefined {
  if (namespaceSelector === undefined) return [metadata.namespace];
  const { matchLabels = {}, matchExpressions = [] } = namespaceSelector;
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0 ? [''] : undefined;
}
