import { join } from 'node:path';

import type { ServiceAccountTokens } from '@millrace/apiserver/api/service-account-tokens';
import { readPrivate, writePrivate } from '@millrace/apiserver/objects/sqlite/key-file';
import type { BusAuthentication } from '@millrace/bus';
import type { Authentication } from '@millrace/bus/plan/security';
import { discoverIssuer } from '@millrace/bus/security/discovery';
import { makeIssuerKey, openIssuer } from '@millrace/bus/security/issuer';
import type { Issuer } from '@millrace/bus/security/issuer';
import { openSenderTokens } from '@millrace/bus/security/sender-tokens';
import { openVerifier } from '@millrace/bus/security/verifier';

import { CommandFailure } from '../exit-codes.ts';
import type { SecuritySettings } from './security-settings.ts';

/** How senders are authenticated, for each that has to do with it. */
export interface OpenAuthentication {
  readonly bus: BusAuthentication;
  readonly plan: Authentication;
  /** Undefined where tokens are made elsewhere. */
  readonly tokens: ServiceAccountTokens | undefined;
}

/** The file of the data folder that holds the key of our own issuer. */
const KEY_FILE = 'oidc.key';

export interface AuthenticationOptions {
  readonly dataFolder: string;
  /** The address of the port that takes events: our issuer is called so. */
  readonly dataUrl: () => string;
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * What the settings ask for; undefined when nobody is asked who he is. Without the address of an issuer there is one of
 * our own, whose key is made at the first start. Throws a {@link CommandFailure} for a key that cannot be read.
 */
export function openAuthentication(
  { authentication: wanted }: Pick<SecuritySettings, 'authentication'>,
  { dataFolder, dataUrl, fetch, now }: AuthenticationOptions,
): OpenAuthentication | undefined {
  if (wanted === undefined) return undefined;
  const plan = { mode: wanted.mode };
  if (wanted.discoveryBaseUrl !== undefined) {
    const trusted = discoverIssuer({ baseUrl: wanted.discoveryBaseUrl, fetch, now });
    return { bus: { verify: openVerifier({ trusted, now }) }, plan, tokens: undefined };
  }
  const issuer = ownIssuer(join(dataFolder, KEY_FILE), dataUrl, now);
  const bus = {
    verify: openVerifier({ trusted: () => issuer.trusted(), now }),
    tokenOf: openSenderTokens({
      issue: (subject, audience, lifetimeSeconds) => issuer.issue({ subject, audiences: [audience], lifetimeSeconds }),
      now,
    }),
    documents: () => issuer.documents(),
  };
  return { bus, plan, tokens: { issue: (request) => issuer.issue(request), audience: dataUrl } };
}

function ownIssuer(file: string, url: () => string, now: () => number): Issuer {
  try {
    let key = readPrivate(file)?.toString();
    if (key === undefined) {
      key = makeIssuerKey();
      writePrivate(file, Buffer.from(key));
    }
    return openIssuer({ url, key, now });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // What is told of a key must not hold any of it.
    const why = message.includes(file) ? message : `${file}: expected a key for ES256 in PEM (${code})`;
    throw new CommandFailure('storage', `${why}; without the file another one is made, and tokens of before end`);
  }
}
