import type { JWTVerifyGetKey } from 'jose';

/** What becomes of a token. `unavailable`: nobody can say now, so trying again helps. */
export type Verified =
  | { readonly outcome: 'verified'; readonly subject: string }
  | { readonly outcome: 'refused' | 'unavailable'; readonly reason: string };

/** Finds out whose a token is. Never rejects. */
export type Verify = (token: string, audience: string) => Promise<Verified>;

/** Who makes the tokens that are taken. */
export interface TrustedIssuer {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  readonly keys: JWTVerifyGetKey;
}

export interface VerifierOptions {
  /** Asked for each token that is not known yet. Rejects when nobody can say. */
  readonly trusted: () => Promise<TrustedIssuer>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Keys of the issuer alone sign; one that both share is none of these, and `none` is no signature. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** No issuer makes longer ones, and each costs the check of a signature. */
const LONGEST_TOKEN = 16_384;
const TOLERATED_SECONDS = 10;
/** A token that was taken back by its issuer is taken here for so long. */
const LONGEST_KNOWN_MS = 5 * 60_000;
const MOST_KNOWN = 1_000;

interface Known {
  readonly subject: string;
  readonly audiences: readonly string[];
  /** Milliseconds since 1970. */
  readonly until: number;
}

/**
 * Verifies tokens (RFC 7519) by their issuer's keys. What was found out of one is known until it expires, for five minutes
 * at most: who sends much pays for one signature.
 */
export function openVerifier({ trusted, now }: VerifierOptions): Verify {
  const known = new Map<string, Known>();

  async function look(token: string): Promise<Known | Exclude<Verified, { outcome: 'verified' }>> {
    const { jwtVerify, errors } = await import('jose');
    let issuer: TrustedIssuer;
    try {
      issuer = await trusted();
    } catch (error) {
      return { outcome: 'unavailable', reason: `the issuer of tokens cannot be asked: ${(error as Error).message}` };
    }
    try {
      const { payload } = await jwtVerify(token, issuer.keys, {
        issuer: issuer.issuer,
        algorithms: ALGORITHMS,
        requiredClaims: ['sub', 'aud', 'exp'],
        clockTolerance: TOLERATED_SECONDS,
        currentDate: new Date(now()),
      });
      const { sub, aud, exp } = payload;
      if (typeof sub !== 'string' || sub === '') return refused('it names no subject');
      const until = Math.min((exp! + TOLERATED_SECONDS) * 1_000, now() + LONGEST_KNOWN_MS);
      return { subject: sub, audiences: [aud!].flat(), until };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return refused('it has expired');
      if (error instanceof errors.JWTClaimValidationFailed) return refused(`its claim ${error.claim} is not right`);
      if (error instanceof errors.JWKSNoMatchingKey) return refused('its issuer has no such key');
      if (error instanceof errors.JWSSignatureVerificationFailed) return refused('its signature is not right');
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) {
        return { outcome: 'unavailable', reason: 'the keys of the issuer of tokens cannot be had' };
      }
      // What it says may quote the token.
      return refused('it cannot be read, or is not signed as it must be');
    }
  }

  return async (token, audience) => {
    if (token.length > LONGEST_TOKEN) return refused(`it is longer than ${LONGEST_TOKEN} characters`);
    let found = known.get(token);
    if (found === undefined || found.until <= now()) {
      known.delete(token);
      const seen = await look(token);
      if ('outcome' in seen) return seen;
      found = seen;
      if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value!);
      known.set(token, found);
    }
    if (!found.audiences.includes(audience)) return refused('it is made for another audience');
    return { outcome: 'verified', subject: found.subject };
  };
}

function refused(reason: string): { outcome: 'refused'; reason: string } {
  return { outcome: 'refused', reason };
}
