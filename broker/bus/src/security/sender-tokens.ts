import type { IssuedToken } from './issuer.ts';

export interface SenderTokensOptions {
  readonly issue: (subject: string, audience: string, lifetimeSeconds: number) => Promise<IssuedToken>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** As Knative has them: an hour long, and another one five minutes before that is over. */
const LIFETIME_SECONDS = 3_600;
const RENEWED_BEFORE_MS = 5 * 60_000;

/** Gives the token of a sender for an audience: the same one, until it is soon to expire. Rejects when none can be made. */
export function openSenderTokens({
  issue,
  now,
}: SenderTokensOptions): (subject: string, audience: string) => Promise<string> {
  const made = new Map<string, Promise<IssuedToken>>();
  return async (subject, audience) => {
    const name = `${subject} ${audience}`;
    const before = made.get(name);
    if (before !== undefined) {
      const { token, expiresAt } = await before;
      if (expiresAt - RENEWED_BEFORE_MS > now()) return token;
    }
    // Whoever comes meanwhile may have made another one already.
    let next = made.get(name);
    if (next === undefined || next === before) {
      next = issue(subject, audience, LIFETIME_SECONDS);
      made.set(name, next);
      next.catch(() => made.delete(name));
    }
    return (await next).token;
  };
}
