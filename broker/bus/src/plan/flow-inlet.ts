import type { Choice } from '@millrace/resources/choice';
import type { MapFlow } from '@millrace/resources/map';
import type { Parallel } from '@millrace/resources/parallel';
import { keyOf } from '@millrace/resources/resource';
import type { Sequence } from '@millrace/resources/sequence';

import type { Inlet } from './plan.ts';

type Flow = Sequence | Parallel | Choice | MapFlow;

/** The path on the data port of a flow. */
export function flowPath({ kind, metadata }: Flow): string {
  return `/flows/${kind.toLowerCase()}/${metadata.namespace}/${metadata.name}`;
}

/** The door of a flow. Those that are made of channels have the names of these in a cluster, the others one of their own. */
export function flowInlet(flow: Flow, topic: string): Inlet {
  const { kind, metadata } = flow;
  const inlet = { path: flowPath(flow), topic, key: keyOf(flow) };
  if (kind === 'Sequence' || kind === 'Parallel') return inlet;
  return { ...inlet, host: `${metadata.name}-${kind.toLowerCase()}.${metadata.namespace}` };
}
