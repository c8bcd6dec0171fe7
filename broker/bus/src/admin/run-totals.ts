import type { RunEntry, RunStatus, RunSummary, RunUsage } from './run-views.ts';

type Totals = Pick<RunSummary, 'status' | 'entries' | 'deliveries' | 'attempts' | 'duration' | 'usage'>;

/** What the entries of a run come to together, at a time in milliseconds since 1970. */
export function totalsOf(entries: readonly RunEntry[], now: number): Totals {
  const deliveries = entries.flatMap((it) => it.deliveries).filter((it) => it.state !== 'none');
  const attempts = deliveries.flatMap((it) => it.attempts);
  const status = statusOf(entries, now);
  const ends = attempts.map((it) => Date.parse(it.startedAt) + it.duration);
  const arrivals = entries.map((it) => Date.parse(it.arrivedAt));
  const isOpen = deliveries.some((it) => it.state === 'pending' || it.state === 'waiting');
  const end = isOpen ? now : [...ends, ...arrivals].reduce((last, it) => Math.max(last, it));
  const usage = usageOf(entries);
  return {
    status,
    entries: entries.length,
    deliveries: deliveries.length,
    attempts: attempts.length,
    duration: Math.max(0, end - arrivals[0]!),
    ...(usage === undefined ? {} : { usage }),
  };
}

function statusOf(entries: readonly RunEntry[], now: number): RunStatus {
  const deliveries = entries.flatMap((it) => it.deliveries);
  if (deliveries.some(({ state }) => state === 'dead' || state === 'deadLettered')) return 'failed';
  if (deliveries.some(({ next }) => next !== undefined && Date.parse(next.dueAt) > now)) return 'waiting';
  return deliveries.some(({ state }) => state === 'pending' || state === 'waiting') ? 'running' : 'succeeded';
}

function usageOf(entries: readonly RunEntry[]): RunUsage | undefined {
  const usages = entries.flatMap(({ usage }) => usage ?? []);
  if (usages.length === 0) return undefined;
  const sum = (values: readonly number[]) => values.reduce((total, it) => total + it, 0);
  const costs = usages.flatMap(({ costUsd }) => costUsd ?? []);
  return {
    events: usages.length,
    inputTokens: sum(usages.map((it) => it.inputTokens)),
    outputTokens: sum(usages.map((it) => it.outputTokens)),
    ...(costs.length === 0 ? {} : { costUsd: sum(costs) }),
    ...(costs.length < usages.length ? { isLeast: true } : {}),
  };
}
