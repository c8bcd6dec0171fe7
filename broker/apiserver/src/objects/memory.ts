import { JournaledStore, systemEnvironment } from './journaled-store.ts';
import { Past } from './past.ts';
import { Present } from './present.ts';
import type { ObjectStore } from './store.ts';
import type { Environment } from './transaction.ts';

/** A store that keeps nothing: for tests. */
export function openMemoryObjects(environment: Environment = systemEnvironment): ObjectStore {
  const journal = { commit() {}, forget() {}, close() {} };
  return new JournaledStore(journal, { present: new Present(), past: new Past(0, []) }, environment);
}
