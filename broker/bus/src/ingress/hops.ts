import { headerOf } from '@millrace/event/web';

import { HOPS_HEADER, MAX_HOPS } from '../log/gate.ts';

/** How many deliveries lie behind a request, as its headers say (names and values in turn): 0 when they do not, or not so that it can be read. */
export function hopsOf(rawHeaders: readonly string[]): number {
  const hops = Number(headerOf(rawHeaders, HOPS_HEADER) ?? 0);
  return Number.isInteger(hops) && hops > 0 ? Math.min(hops, MAX_HOPS + 1) : 0;
}
