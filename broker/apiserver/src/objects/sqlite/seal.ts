import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Makes texts unreadable without the key, and tells when they were changed: AES-256-GCM (NIST SP 800-38D). */
export interface Seal {
  /** What was sealed for one place is opened for that place only. */
  seal(place: string, text: string): Uint8Array;
  /** Throws when the key or the place is another one, or when the bytes were changed. */
  open(place: string, sealed: Uint8Array): string;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Sealed bytes are: nonce, tag, encrypted text. The nonce is random: 2^32 texts are safe with one key. */
export function sealWith(key: Uint8Array): Seal {
  return {
    seal(place, text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(place));
      const encrypted = [cipher.update(text, 'utf8'), cipher.final()];
      return Buffer.concat([nonce, cipher.getAuthTag(), ...encrypted]);
    },
    open(place, sealed) {
      const nonce = sealed.subarray(0, NONCE_BYTES);
      const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
      const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(place)).setAuthTag(tag);
      const text = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString('utf8');
    },
  };
}
