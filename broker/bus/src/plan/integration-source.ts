import { BROKER_DELIVERY } from '@millrace/resources/broker';
import type { IntegrationSource } from '@millrace/resources/integration-source';
import { keyOf } from '@millrace/resources/resource';

import { addressOf } from './address.ts';
import { conditionsOf } from './conditions.ts';
import { deliveryOf } from './delivery.ts';
import { troubleOfNotRun } from './not-run.ts';
import type { Status, TimerFeed } from './plan.ts';
import { planSink, SOURCE_CONDITION } from './sources.ts';
import type { PlannedSource } from './sources.ts';
import type { World } from './world.ts';

/**
 * An IntegrationSource with a `timer` fills its sink's topic, or one of its own; that of AWS is not run. Knative makes a
 * ContainerSource of either, so one condition tells of the sink and of the source.
 */
export function planIntegrationSource(source: IntegrationSource, world: World, dataUrl: string): PlannedSource {
  const { metadata, spec } = source;
  const { namespace, name } = metadata;
  const { timer } = spec;
  const condition = SOURCE_CONDITION.IntegrationSource;
  const sink = planSink(source, spec.sink, deliveryOf(BROKER_DELIVERY, { ordered: false }), world);
  const planned = { ...sink, route: sink.route && { ...sink.route, sinkCondition: condition } };
  const trouble = troubleOfNotRun(source) ?? planned.trouble;
  const attributes = { type: 'dev.knative.eventing.timer', source: 'dev.knative.eventing.timer-source' };
  const status: Status = {
    kind: source.kind,
    namespace,
    name,
    conditions: conditionsOf([condition], { [condition]: trouble }),
    details: {
      sinkUri: addressOf(spec.sink, namespace, world, dataUrl),
      ...(timer === undefined ? {} : { ceAttributes: [attributes] }),
    },
  };
  if (timer === undefined || trouble !== undefined) return { feed: undefined, route: undefined, status };
  const options: TimerFeed = {
    periodMs: timer.period,
    message: timer.message,
    contentType: timer.contentType,
    ...(timer.repeatCount === undefined ? {} : { repeatCount: timer.repeatCount }),
    extensions: spec.ceOverrides?.extensions ?? {},
  };
  return {
    feed: { name: planned.name, key: keyOf(source), topic: planned.topic, kind: source.kind, options },
    route: planned.route,
    status,
  };
}
