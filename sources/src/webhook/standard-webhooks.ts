import { createHmac, createPublicKey, timingSafeEqual, verify as verifySignature } from 'node:crypto';

import { SecretFault } from './signature.ts';
import type { Verify } from './signature.ts';

// Standard Webhooks 1.0 (standard-webhooks.md, "Signature scheme"):
//
//   webhook-id: <unique id>                 signed text = <id> "." <timestamp> "." <body>
//   webhook-timestamp: <seconds>
//   webhook-signature: v1,<base64> v1a,<base64> …     any of them, by any of our keys, will do
//
//   v1   HMAC-SHA256   key: whsec_<base64>
//   v1a  ed25519       key: whpk_<base64 of the 32 bytes of the public key>

/** Verifies Standard Webhooks with any of the keys, so that they can be rotated. Throws a {@link SecretFault}. */
export function standardWebhooks(secrets: readonly string[], toleranceSeconds = 300): Verify {
  const keys = secrets.map(readKey);
  const toleranceMs = toleranceSeconds * 1000;
  return ({ header, body, now }) => {
    const id = header('webhook-id');
    const timestamp = header('webhook-timestamp');
    const signatures = header('webhook-signature');
    if (!id || !timestamp || !signatures) {
      return refused('expected the headers webhook-id, webhook-timestamp and webhook-signature');
    }
    const sentAt = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) * 1000 : Number.NaN;
    if (!(Math.abs(now - sentAt) <= toleranceMs)) {
      return refused(`expected a webhook-timestamp within ${toleranceSeconds} seconds of now`);
    }
    const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
    // A bound, because each one of v1a costs a tenth of a millisecond before anybody has proved anything.
    const offered = signatures.split(' ', MAX_SIGNATURES);
    if (!keys.some((matches) => matches(signed, offered))) return refused('no signature matches');
    return { genuine: true, id, repeatedUntil: Math.max(sentAt, now) + toleranceMs };
  };
}

const MAX_SIGNATURES = 10;

function refused(reason: string) {
  return { genuine: false, reason } as const;
}

/** Whether one of the offered signatures (`v1,…`) is this key's. */
type Key = (signed: Buffer, offered: readonly string[]) => boolean;

const BASE64 = /^[A-Za-z\d+/]+={0,2}$/;
// What precedes the 32 bytes of an ed25519 key in a SubjectPublicKeyInfo (RFC 8410 §4).
const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

function readKey(secret: string, index: number): Key {
  const [, prefix, encoded] = /^(whsec_|whpk_)?(.*)$/s.exec(secret)!;
  const bytes = Buffer.from(encoded!, 'base64');
  if (!BASE64.test(encoded!) || bytes.length === 0) {
    throw new SecretFault(index, 'whsec_ or whpk_ and then base64');
  }
  if (prefix === 'whpk_') {
    if (bytes.length !== 32) throw new SecretFault(index, 'whpk_ and then the base64 of 32 bytes');
    const key = createPublicKey({ key: Buffer.concat([ED25519_PREFIX, bytes]), format: 'der', type: 'spki' });
    return (signed, offered) =>
      decoded('v1a,', offered).some((bytes) => bytes.length === 64 && verifySignature(null, signed, key, bytes));
  }
  return (signed, offered) => {
    const expected = createHmac('sha256', bytes).update(signed).digest();
    return decoded('v1,', offered).some(
      (bytes) => bytes.length === expected.length && timingSafeEqual(bytes, expected),
    );
  };
}

function decoded(scheme: string, offered: readonly string[]): Buffer[] {
  return offered
    .filter((signature) => signature.startsWith(scheme))
    .map((signature) => Buffer.from(signature.slice(scheme.length), 'base64'));
}
