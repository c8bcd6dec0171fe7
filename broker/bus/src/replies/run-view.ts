import type { Entry } from '../log/log.ts';
import type { RunEnd } from './run.ts';

/** How a run is, as `GET /runs/<id>` tells it. */
export interface RunView {
  /** Of the event that it began with. */
  readonly id: string;
  /** `succeeded`: there is a final reply, or nothing is left that could bring one. */
  readonly status: 'running' | 'succeeded' | 'failed';
  /** Where this is told. */
  readonly location: string;
  /** When the event came, RFC 3339. */
  readonly created: string;
  /** Where the final reply is to be had. */
  readonly result: string;
  /** Why it failed. */
  readonly reason?: string | undefined;
}

const STATUSES = { open: 'running', replied: 'succeeded', silent: 'succeeded', failed: 'failed' } as const;

/** Puts together how the run of an entry is. */
export function runView({ event: { id }, arrivedAt }: Entry, end: RunEnd): RunView {
  const location = runLocation(id);
  return {
    id,
    status: STATUSES[end.outcome],
    location,
    created: new Date(arrivedAt).toISOString(),
    result: `${location}/result`,
    reason: end.outcome === 'failed' ? end.reason : undefined,
  };
}

/** The path on the data port under which the run of an event is told. */
export function runLocation(id: string): string {
  return `/runs/${encodeURIComponent(id)}`;
}
