import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Makes the values by which replies find who waits for them, and knows them again. */
export interface ReplyIds {
  /** A new one for an event at a RequestReply (`<namespace>/<name>`): `<id of the event>:<token>:0`. Nobody can guess it. */
  make(requestReply: string, eventId: string): string;
  /** Whether it was made here for this RequestReply. */
  isOurs(requestReply: string, replyId: string): boolean;
}

const NONCE_BYTES = 16;
const KEY_BYTES = 32;
/** The place of the replica that holds the request (knative.md §1.7). This process is the only one. */
const REPLICA = '0';
// The id of an event may hold colons itself.
const REPLY_ID = /^(.+):([\w-]+):0$/s;

/**
 * Signs with a key; the token is nonce and signature in base64url. Default: a random key, so that values end with the
 * process, as do the requests that it holds.
 */
export function openReplyIds(key: Uint8Array = randomBytes(KEY_BYTES)): ReplyIds {
  const signatureOf = (requestReply: string, eventId: string, nonce: Buffer) =>
    createHmac('sha256', key)
      .update(JSON.stringify([requestReply, eventId, nonce.toString('hex')]))
      .digest();
  return {
    make(requestReply, eventId) {
      const nonce = randomBytes(NONCE_BYTES);
      const token = Buffer.concat([nonce, signatureOf(requestReply, eventId, nonce)]).toString('base64url');
      return `${eventId}:${token}:${REPLICA}`;
    },
    isOurs(requestReply, replyId) {
      const [, eventId, token] = REPLY_ID.exec(replyId) ?? [];
      if (eventId === undefined || token === undefined) return false;
      const bytes = Buffer.from(token, 'base64url');
      const nonce = bytes.subarray(0, NONCE_BYTES);
      const expected = signatureOf(requestReply, eventId, nonce);
      const got = bytes.subarray(NONCE_BYTES);
      return got.byteLength === expected.byteLength && timingSafeEqual(got, expected);
    },
  };
}
