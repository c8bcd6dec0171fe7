import { addressableOf } from '@millrace/resources/event-type';
import type { EventType } from '@millrace/resources/event-type';
import { complaint } from '@millrace/resources/fault';
import { keyOf } from '@millrace/resources/resource';

import { compileSchema } from '../schema/compile.ts';
import { SchemaFault } from '../schema/fault.ts';
import { conditionsOf } from './conditions.ts';
import type { Trouble } from './conditions.ts';
import type { PlanFault, Status } from './plan.ts';
import type { World } from './world.ts';

/** An EventType tells whether what it is about is there, and is at fault when its schema is none. */
export function planEventType(eventType: EventType, world: World): { status: Status; fault: PlanFault | undefined } {
  const { namespace, name } = eventType.metadata;
  const conditions = conditionsOf(['ReferenceExists'], { ReferenceExists: referenceTrouble(eventType, world) });
  return { status: { kind: 'EventType', namespace, name, conditions }, fault: schemaFault(eventType) };
}

function referenceTrouble(eventType: EventType, world: World): Trouble | undefined {
  const about = addressableOf(eventType);
  if (about === undefined || isThere(about, world)) return undefined;
  const { kind, namespace, name } = about;
  return { reason: 'ResourceDoesNotExist', message: `the ${kind} ${namespace}/${name} is not declared` };
}

function isThere(about: { kind: string; namespace: string; name: string }, world: World): boolean {
  const { kind, namespace, name } = about;
  return world.topic(about) !== undefined || world.find(kind as 'Broker', namespace, name) !== undefined;
}

function schemaFault(eventType: EventType): PlanFault | undefined {
  const { schemaData } = eventType.spec;
  if (schemaData === undefined) return undefined;
  try {
    compileSchema(schemaData);
    return undefined;
  } catch (error) {
    if (!(error instanceof SchemaFault)) throw error;
    return { ...complaint('spec.schemaData', error.expected, error.got), key: keyOf(eventType) };
  }
}
