import type { TrustedIssuer } from './verifier.ts';

export interface DiscoveryOptions {
  /** Where `/.well-known/openid-configuration` is. */
  readonly baseUrl: string;
  /** The network. */
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const KEPT_MS = 10 * 60_000;
const TIMEOUT_MS = 5_000;

/**
 * An issuer that says itself who it is and which keys it has (OpenID Connect Discovery 1.0 §4). What it says is kept for
 * ten minutes; a key that is not known yet is asked for at once, twice a minute at most. The function that it gives
 * rejects when the issuer cannot be asked, or says what cannot be read.
 */
export function discoverIssuer({ baseUrl, fetch, now }: DiscoveryOptions): () => Promise<TrustedIssuer> {
  const address = `${baseUrl.replace(/\/$/, '')}/.well-known/openid-configuration`;
  let kept: { readonly trusted: Promise<TrustedIssuer>; readonly until: number } | undefined;

  async function ask(): Promise<TrustedIssuer> {
    const { createRemoteJWKSet, customFetch } = await import('jose');
    const { issuer, jwks_uri: keysAt } = await configurationAt(address, fetch);
    return { issuer, keys: createRemoteJWKSet(new URL(keysAt), { timeoutDuration: TIMEOUT_MS, [customFetch]: fetch }) };
  }

  return () => {
    if (kept === undefined || kept.until <= now()) {
      const trusted = ask();
      kept = { trusted, until: now() + KEPT_MS };
      // The next one asks again.
      trusted.catch(() => (kept = undefined));
    }
    return kept.trusted;
  };
}

async function configurationAt(
  address: string,
  fetch: typeof globalThis.fetch,
): Promise<{ issuer: string; jwks_uri: string }> {
  const response = await fetch(address, {
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { accept: 'application/json' },
  });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  const said = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown } | null;
  const { issuer, jwks_uri: keysAt } = said ?? {};
  if (typeof issuer !== 'string' || typeof keysAt !== 'string' || !/^https?:/.test(keysAt) || !URL.canParse(keysAt)) {
    throw new Error(`${address} says no issuer and jwks_uri`);
  }
  return { issuer, jwks_uri: keysAt };
}
