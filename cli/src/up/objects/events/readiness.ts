import type { KubernetesObject } from '@millrace/apiserver/objects/object';
import type { WatchEvent } from '@millrace/apiserver/objects/store';

import type { Note } from './object-events.ts';

interface Ready {
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** What a person should notice of a change: an object is not ready any more, for another reason, or is again. */
export function readinessNote({ type, object, previous }: WatchEvent): Note | undefined {
  if (type === 'DELETED') return undefined;
  const now = readyOf(object);
  const before = previous === undefined ? undefined : readyOf(previous);
  if (now === undefined || (now.status === before?.status && now.reason === before.reason)) return undefined;
  const note = { about: object, count: 1 };
  if (now.status === 'False') {
    const { reason = 'NotReady', message = 'it is not ready' } = now;
    return { ...note, type: 'Warning', reason, message, topic: message };
  }
  // What is ready from the beginning is nothing to notice; neither is what is being found out.
  if (now.status !== 'True' || before === undefined) return undefined;
  return { ...note, type: 'Normal', reason: 'Ready', message: `the ${object.kind} is ready`, topic: '' };
}

function readyOf(object: KubernetesObject): Ready | undefined {
  const status = object['status'] as { conditions?: readonly (Ready & { readonly type: string })[] } | undefined;
  return status?.conditions?.find(({ type }) => type === 'Ready');
}
