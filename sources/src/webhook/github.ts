import { createHmac, timingSafeEqual } from 'node:crypto';

import { SecretFault } from './signature.ts';
import type { Verify } from './signature.ts';

// GitHub ("Validating webhook deliveries"):
//
//   x-hub-signature-256: sha256=<hex of HMAC-SHA256 over the body>
//   x-github-delivery: <GUID>             the same for a redelivery; the signature does not cover it

const REPEATED_WITHIN_MS = 10 * 60_000;

/** Verifies GitHub's webhooks with any of the secrets, so that they can be rotated. Throws a {@link SecretFault}. */
export function githubWebhooks(secrets: readonly string[]): Verify {
  for (const [index, secret] of secrets.entries()) {
    if (secret === '') throw new SecretFault(index, 'text that is not empty');
  }
  return ({ header, body, now }) => {
    const offered = /^sha256=([\da-f]{64})$/i.exec(header('x-hub-signature-256') ?? '')?.[1];
    if (offered === undefined) {
      return {
        genuine: false,
        reason: 'expected the header x-hub-signature-256 with sha256= and 64 hexadecimal digits',
      };
    }
    const bytes = Buffer.from(offered, 'hex');
    const isGenuine = secrets.some((secret) =>
      timingSafeEqual(bytes, createHmac('sha256', secret).update(body).digest()),
    );
    if (!isGenuine) return { genuine: false, reason: 'the signature does not match' };
    return { genuine: true, id: header('x-github-delivery') || undefined, repeatedUntil: now + REPEATED_WITHIN_MS };
  };
}
