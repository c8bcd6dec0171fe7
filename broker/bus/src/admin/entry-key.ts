import type { Entry } from '../log/log.ts';
import type { Store } from '../log/store.ts';

/** The entry with this position or, where there is none, the newest whose event has this id. */
export function entryFor({ log, history }: Pick<Store, 'log' | 'history'>, key: string): Entry | undefined {
  const byPosition = /^\d+$/.test(key) ? log.get(Number(key)) : undefined;
  return byPosition ?? history.entries({ limit: 1, id: key })[0];
}
