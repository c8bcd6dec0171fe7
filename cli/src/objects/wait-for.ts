import type { KubernetesObject } from '@millrace/apiserver/objects/object';

import type { ApiClient } from '../api-client.ts';
import { changes } from './changes.ts';
import { listObjects } from './reads.ts';
import type { Selected } from './selection.ts';

/** What is waited for: whether it is so; undefined stands for an object that is not there. */
export type Awaited = (object: KubernetesObject | undefined) => boolean;

/** How waiting ended, and how the object was by then. */
export interface Waited {
  readonly isSo: boolean;
  readonly object: KubernetesObject | undefined;
}

/** Resolves when it is so, or when the signal ends it; looks once in any case. */
export async function waitFor(
  client: ApiClient,
  selected: Selected,
  isSo: Awaited,
  signal: AbortSignal,
): Promise<Waited> {
  const { items } = await listObjects(client, selected);
  let [object] = items;
  if (isSo(object)) return { isSo: true, object };
  try {
    for await (const event of changes<KubernetesObject>(client, selected, { signal })) {
      object = event.type === 'DELETED' ? undefined : event.object;
      if (isSo(object)) return { isSo: true, object };
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return { isSo: false, object };
}

/** Whether a condition has a status, as far as it is about what the object says now. Case does not count. */
export function hasCondition(type: string, status: string): Awaited {
  return (object) => {
    if (object === undefined) return false;
    const { conditions = [], observedGeneration } = (object['status'] ?? {}) as Observed;
    const { generation } = object.metadata;
    if (observedGeneration !== undefined && generation !== undefined && observedGeneration < generation) return false;
    const found = conditions.find((it) => it.type.toLowerCase() === type.toLowerCase());
    return found?.status.toLowerCase() === status.toLowerCase();
  };
}

/** A condition in words: `Ready is False: BrokerDoesNotExist: there is no such broker`. */
export function conditionText(object: KubernetesObject | undefined, type: string): string {
  if (object === undefined) return 'it is not there';
  const { conditions = [] } = (object['status'] ?? {}) as Observed;
  const found = conditions.find((it) => it.type.toLowerCase() === type.toLowerCase());
  if (found === undefined) {
    const others = conditions.map((it) => it.type).join(', ');
    return `it has no condition ${type}${others === '' ? '' : `, only ${others}`}`;
  }
  return [`${found.type} is ${found.status}`, found.reason, found.message].filter(Boolean).join(': ');
}

interface Observed {
  readonly observedGeneration?: number;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
  }[];
}
