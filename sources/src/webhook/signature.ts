/** What a signature is checked on. */
export interface SignedRequest {
  /** By lower-case name. */
  readonly header: (name: string) => string | undefined;
  /** The bytes as they came: a signature is over them, not over what they mean. */
  readonly body: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Genuine, with the sender's id of the message; or why not, in words that give nothing away. */
export type Verdict =
  | {
      readonly genuine: true;
      /** Undefined when the sender gave none. */
      readonly id: string | undefined;
      /** Until when the same id is a repetition. Milliseconds since 1970. */
      readonly repeatedUntil: number;
    }
  | { readonly genuine: false; readonly reason: string };

/** Checks a request's signature. Never throws. */
export type Verify = (request: SignedRequest) => Verdict;

/** A secret that cannot be used. The message says which one by its place and what was expected, and never the secret. */
export class SecretFault extends Error {
  override readonly name = 'SecretFault';

  constructor(index: number, expected: string) {
    super(`secret ${index + 1}: expected ${expected}`);
  }
}
