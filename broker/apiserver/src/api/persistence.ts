import { Conflict, NotFound } from '../objects/errors.ts';
import type { ObjectKey } from '../objects/object.ts';
import type { ServedKind } from '../registry/kind.ts';
import { alreadyExists, conflict, notFound, Refusal } from './status.ts';

/** As often as this a write that collides with others is made anew, as Kubernetes does it. */
const MAX_TRIES = 5;

/**
 * Makes a write that depends on what is stored; `attempt` looks at that anew each time, and says then whether the
 * request still holds. Rejects with a Refusal where the store refuses.
 */
export async function persisted<T>(kind: ServedKind, key: ObjectKey, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const collides = error instanceof Conflict || error instanceof NotFound;
      if (!collides || tries >= MAX_TRIES) throw refusalOf(error, kind, key);
    }
  }
}

/** What the store says against a write, as an answer; anything else as it is. */
function refusalOf(error: unknown, kind: ServedKind, { name }: ObjectKey): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === 'Conflict') return conflict(kind, name);
  if (error.name === 'AlreadyExists') return alreadyExists(kind, name);
  if (error.name === 'NotFound') return notFound(kind, name);
  if (error.name === 'StoreFull') return new Refusal(507, 'InsufficientStorage', error.message);
  return error.name === 'StoreBroken' ? new Refusal(503, 'ServiceUnavailable', error.message) : error;
}
