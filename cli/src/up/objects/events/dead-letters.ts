import { groupOf } from '@millrace/apiserver/objects/object';
import type { ObjectStore } from '@millrace/apiserver/objects/store';
import type { Attempted } from '@millrace/bus/log/facts';
import { listen } from '@millrace/bus/telemetry/listen';
import { isKind, KINDS } from '@millrace/resources/kinds';

import type { EventRecorder } from './recorder.ts';

/**
 * Notes each event that could not be delivered, for the resource whose route it was: one Event that counts them. `keyOf`
 * gives the key of the resource of a route. The returned function ends it.
 */
export function noteDeadLetters(
  store: ObjectStore,
  recorder: EventRecorder,
  keyOf: (route: string) => string | undefined,
): () => void {
  const attempted = ({ settlement }: Attempted): void => {
    const { route, outcome, failure } = settlement;
    if (outcome !== 'parked' && outcome !== 'deadLettered') return;
    const [kind = '', namespace = '', name = ''] = keyOf(route)?.split('/') ?? [];
    if (!isKind(kind)) return;
    const group = groupOf(KINDS[kind].apiVersions[0] ?? '');
    const about = store.get({ group, kind, namespace, name });
    if (about === undefined) return;
    const where = outcome === 'parked' ? 'rests among the dead letters' : 'went to the dead letter sink';
    const why = failure === undefined ? '' : `: ${failure.message}`;
    const message = `an event of the route ${route} ${where}${why}`;
    recorder.note({ about, type: 'Warning', reason: 'DeadLetter', message, topic: route, count: 1 });
  };
  return listen({ attempted });
}
