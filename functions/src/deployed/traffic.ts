import type { Traffic } from './declared.ts';

/** Who gets which calls, by the names of revisions. */
export interface Split {
  /** Of the calls that ask for no tag; all above 0, and 100 together. Empty when there is no revision at all. */
  readonly shares: readonly Share[];
  readonly tags: ReadonlyMap<string, string>;
  /** What is named and not there, in order, once each. */
  readonly missing: readonly string[];
}

export interface Share {
  readonly revision: string;
  readonly percent: number;
}

/**
 * What a function's traffic means while `latest` is the latest revision that is ready. What is not there leaves its
 * calls to the latest. `pinned` has all calls whatever is declared; tags go on.
 */
export function splitOf(
  traffic: readonly Traffic[],
  revisions: {
    readonly latest: string | undefined;
    readonly pinned: string | undefined;
    readonly has: (name: string) => boolean;
  },
): Split {
  const { latest, pinned, has } = revisions;
  const missing = new Set<string>();
  const resolve = ({ revisionName }: Traffic): string | undefined => {
    if (revisionName === undefined || has(revisionName)) return revisionName ?? latest;
    missing.add(revisionName);
    return latest;
  };
  const percents = new Map<string, number>();
  const tags = new Map<string, string>();
  const isSplit = traffic.some((it) => it.percent > 0);
  for (const target of traffic) {
    const revision = resolve(target);
    if (revision === undefined) continue;
    if (target.percent > 0) percents.set(revision, (percents.get(revision) ?? 0) + target.percent);
    if (target.tag !== undefined) tags.set(target.tag, revision);
  }
  const whole = pinned ?? (isSplit ? undefined : latest);
  const shares = whole === undefined ? [...percents] : ([[whole, 100]] as const);
  return {
    shares: shares.map(([revision, percent]) => ({ revision, percent })),
    tags,
    missing: [...missing],
  };
}

/** The revision for one call; `chance` is from 0 to below 1. Undefined when there is none. */
export function pick(shares: readonly Share[], chance: () => number): string | undefined {
  if (shares.length < 2) return shares[0]?.revision;
  let rest = chance() * shares.reduce((sum, it) => sum + it.percent, 0);
  for (const { revision, percent } of shares) {
    rest -= percent;
    if (rest < 0) return revision;
  }
  return shares.at(-1)!.revision;
}
