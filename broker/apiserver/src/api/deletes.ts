import type { KubernetesObject } from '../objects/object.ts';
import { isSame, keyAt } from './addressing.ts';
import { planDeletion } from './collection.ts';
import type { Propagation } from './collection.ts';
import { expectLive } from './draft.ts';
import { timestamp } from './environment.ts';
import { concernedBy } from './concerned.ts';
import { isRecord, recordAt } from './json.ts';
import type { JsonRecord } from './json.ts';
import { persisted } from './persistence.ts';
import type { ObjectTarget } from './request-path.ts';
import { badRequest, forbidden, notFound } from './status.ts';
import { isDryRun } from './write-options.ts';
import type { WritePorts } from './writes.ts';

/** How a deletion is meant (Kubernetes API: DeleteOptions). */
export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly propagation: Propagation;
  /** Only the object with this uid. */
  readonly uid?: string;
  /** Only this version of it. */
  readonly resourceVersion?: string;
}

/** The object as it is after a deletion: gone, or marked because somebody has to do something before. */
export interface Deleted {
  readonly object: KubernetesObject;
  readonly isGone: boolean;
}

const PROPAGATIONS: readonly string[] = ['Background', 'Foreground', 'Orphan'] satisfies Propagation[];

/** From the body, and from the query where the body says nothing. Throws a Refusal for what it does not know. */
export function deleteOptionsOf(body: JsonRecord, query: URLSearchParams): DeleteOptions {
  const propagation = body['propagationPolicy'] ?? query.get('propagationPolicy') ?? orphaned(body) ?? 'Background';
  if (typeof propagation !== 'string' || !PROPAGATIONS.includes(propagation)) {
    throw badRequest(
      `expected propagationPolicy to be one of ${PROPAGATIONS.join(', ')}, got ${JSON.stringify(propagation)}`,
    );
  }
  const { uid, resourceVersion } = recordAt(body, 'preconditions');
  const dryRun = Array.isArray(body['dryRun']) ? body['dryRun'].map(String) : query.getAll('dryRun');
  return {
    dryRun: isDryRun(dryRun),
    propagation: propagation as Propagation,
    ...(typeof uid === 'string' && { uid }),
    ...(typeof resourceVersion === 'string' && { resourceVersion }),
  };
}

function orphaned(body: unknown): Propagation | undefined {
  return isRecord(body) && body['orphanDependents'] === true ? 'Orphan' : undefined;
}

/** Deletes an object and what belongs to it. Rejects with a Refusal when it is not there, or not the one that is meant. */
export async function remove(ports: WritePorts, target: ObjectTarget, options: DeleteOptions): Promise<Deleted> {
  const { kind } = target;
  const key = keyAt(target);
  const { uid, resourceVersion = '', propagation } = options;
  return persisted(kind, key, async () => {
    const live = ports.store.get(key);
    if (live === undefined) throw notFound(kind, key.name);
    const meant = { ...live.metadata, ...(uid !== undefined && { uid }), resourceVersion };
    expectLive({ ...live, metadata: meant }, live, kind);
    if (kind.group === '' && kind.kind === 'Namespace' && key.name === 'default') {
      throw forbidden(kind, key.name, 'this namespace may not be deleted');
    }
    const why = ports.admission.admitDeletion?.(live);
    if (why !== undefined) throw forbidden(kind, key.name, why);
    const now = timestamp(ports.environment.now());
    const changes = planDeletion(concernedBy(key, ports), key, { propagation, now });
    const own = changes.findIndex((change) => isSame(change.key, key));
    const isGone = changes[own]?.kind === 'remove';
    if (options.dryRun) return { object: live, isGone };
    const stored = await ports.store.write(changes);
    return { object: stored[own] ?? live, isGone };
  });
}
