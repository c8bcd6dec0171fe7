import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import type { TrustedIssuer } from './verifier.ts';

/** What a token is to say. */
export interface TokenRequest {
  readonly subject: string;
  readonly audiences: readonly string[];
  readonly lifetimeSeconds: number;
  /** More claims. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface IssuedToken {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Makes tokens, and says how they are verified. */
export interface Issuer {
  issue(request: TokenRequest): Promise<IssuedToken>;
  /** As whom and by which keys its tokens are to be trusted. */
  trusted(): Promise<TrustedIssuer>;
  /** What others verify its tokens with: documents by the path under its URL (OpenID Connect Discovery 1.0). */
  documents(): ReadonlyMap<string, object>;
}

export interface IssuerOptions {
  /** Under which its documents are served; the `iss` of its tokens. */
  readonly url: () => string;
  /** A private key for ES256, PKCS #8 in PEM; see {@link makeIssuerKey}. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const ALGORITHM = 'ES256';
const CONFIGURATION = '/.well-known/openid-configuration';
const KEYS = '/openid/v1/jwks';

/** A new key, PKCS #8 in PEM. */
export function makeIssuerKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** An issuer with a key of its own. Throws for a key that is none. */
export function openIssuer({ url, key, now }: IssuerOptions): Issuer {
  const privateKey = createPrivateKey(key);
  const shown = publicKeyOf(privateKey);
  return {
    async issue({ subject, audiences, lifetimeSeconds, claims = {} }) {
      const { SignJWT } = await import('jose');
      const issuedAt = Math.floor(now() / 1_000);
      const expires = issuedAt + lifetimeSeconds;
      const token = await new SignJWT({ ...claims })
        .setProtectedHeader({ alg: ALGORITHM, kid: shown.kid })
        .setIssuer(url())
        .setSubject(subject)
        .setAudience([...audiences])
        .setIssuedAt(issuedAt)
        .setNotBefore(issuedAt)
        .setExpirationTime(expires)
        .sign(privateKey);
      return { token, expiresAt: expires * 1_000 };
    },
    async trusted() {
      const { createLocalJWKSet } = await import('jose');
      return { issuer: url(), keys: createLocalJWKSet({ keys: [shown] }) };
    },
    documents: () =>
      new Map<string, object>([
        [
          CONFIGURATION,
          {
            issuer: url(),
            jwks_uri: url() + KEYS,
            response_types_supported: ['id_token'],
            subject_types_supported: ['public'],
            id_token_signing_alg_values_supported: [ALGORITHM],
          },
        ],
        [KEYS, { keys: [shown] }],
      ]),
  };
}

function publicKeyOf(privateKey: KeyObject): Record<string, string> & { kid: string } {
  const { kty = '', crv = '', x = '', y = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  // RFC 7638: the members of such a key, in their order.
  const kid = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  return { kty, crv, x, y, kid, alg: ALGORITHM, use: 'sig' };
}
