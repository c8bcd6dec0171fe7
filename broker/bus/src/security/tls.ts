import { createServer } from 'node:http';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

/** What a server shows of itself, in PEM. */
export interface Identity {
  /** The certificate and those that lead from it to its authority. */
  readonly cert: string;
  readonly key: string;
}

/** The oldest version of TLS that is spoken, as Knative since 1.22. */
const OLDEST = 'TLSv1.3';

/** A server over TLS where it has an identity, else over plain HTTP. */
export function webServer(identity: Identity | undefined, options: ServerOptions, answer: RequestListener): Server {
  if (identity === undefined) return createServer(options, answer);
  return createTlsServer({ ...options, ...identity, minVersion: OLDEST }, answer);
}

/** Shows another identity from now on, to new connections. Throws when key and certificate do not fit. */
export function showIdentity(server: object, identity: Identity): void {
  if (!('setSecureContext' in server)) throw new Error('a server without TLS has no certificate');
  (server as { setSecureContext(options: object): void }).setSecureContext({ ...identity, minVersion: OLDEST });
}
