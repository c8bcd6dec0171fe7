import { complaint } from '@millrace/resources/fault';
import type { EventTransform } from '@millrace/resources/event-transform';
import { keyOf } from '@millrace/resources/resource';

import { checkExpression } from '../transform/expression.ts';
import { conditionsOf } from './conditions.ts';
import type { PlanFault, Status, Transform } from './plan.ts';
import { resolve } from './resolve.ts';
import type { World } from './world.ts';

const CONDITIONS = ['TransformationReady', 'Addressable', 'EventPoliciesReady'];

/** An EventTransform is a handler with a door. Without its sink it takes nothing. */
export function planEventTransform(
  transform: EventTransform,
  world: World,
  dataUrl: string,
): { transform: Transform | undefined; status: Status; faults: PlanFault[] } {
  const { metadata, spec } = transform;
  const { namespace, name } = metadata;
  const key = keyOf(transform);
  const sink = spec.sink === undefined ? undefined : resolve(spec.sink, namespace, world);
  const trouble =
    sink !== undefined && 'trouble' in sink
      ? { ...sink.trouble, message: `spec.sink: ${sink.trouble.message}` }
      : undefined;
  const status: Status = {
    kind: 'EventTransform',
    namespace,
    name,
    conditions: conditionsOf(CONDITIONS, { TransformationReady: trouble }),
    url: dataUrl + transformPath(`${namespace}/${name}`),
  };
  const { expression } = spec.jsonata;
  const reply = spec.reply?.jsonata;
  const planned: Transform = {
    name: `${namespace}/${name}`,
    key,
    expression,
    sink: sink !== undefined && 'target' in sink ? sink.target : undefined,
    reply: spec.reply?.discard === true ? 'discard' : reply && { expression: reply.expression },
  };
  const faults = [
    expressionFault(expression, 'spec.jsonata.expression', key),
    reply === undefined ? undefined : expressionFault(reply.expression, 'spec.reply.jsonata.expression', key),
  ];
  return {
    transform: trouble === undefined ? planned : undefined,
    status,
    faults: faults.filter((it) => it !== undefined),
  };
}

/** The path on the data port of a transform, `<namespace>/<name>`. */
export function transformPath(transform: string): string {
  return `/transforms/${transform}`;
}

/** The name that clusters have for it, without `.svc.cluster.local` (knative.md §1.6). */
export function transformHost(transform: string): string {
  const [namespace, name] = transform.split('/');
  return `${name}-jsonata.${namespace}`;
}

function expressionFault(expression: string, path: string, key: string): PlanFault | undefined {
  const fault = checkExpression(expression);
  if (fault === undefined) return undefined;
  const { message, position } = fault;
  return { ...complaint(path, 'a JSONata expression', `${message} (at character ${position})`), key };
}
