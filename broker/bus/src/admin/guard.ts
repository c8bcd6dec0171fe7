import type { IncomingMessage } from 'node:http';

import { bearerOf } from '../security/bearer.ts';
import { LOCAL_USER } from '../security/visitor.ts';
import type { Visitor } from '../security/visitor.ts';

/** Who may come in. */
export interface GuardOptions {
  /** Whose a bearer token is. Undefined: none is asked for, and the port is for this machine alone. */
  readonly visitorOf?: ((token: string) => Visitor | undefined) | undefined;
  /** Whether metrics are shown without a token. Default: no. */
  readonly opensMetrics?: boolean | undefined;
}

/** What becomes of a request: it comes in, or why not. `unknown` needs a token that is one. */
export type Entrance =
  | { readonly outcome: 'known'; readonly visitor: Visitor }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'foreign'; readonly status: 403 | 421; readonly error: string };

/**
 * Looks at who comes. A page in the user's browser can send requests to loopback, under its own `Origin`; and a name that
 * resolves to loopback (DNS rebinding) brings its own `Host`. Commands send neither a foreign one nor the other.
 *
 * Where tokens are asked for, a foreign name is a proxy's, and no page has a token; its `Origin` is foreign all the same.
 */
export function enter(
  request: Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'url'>,
  options: GuardOptions,
): Entrance {
  const { host = '', origin } = request.headers;
  const { visitorOf } = options;
  if (visitorOf === undefined && !isOurs(host)) {
    const error = `the host "${host}" is not this one: use localhost or an address`;
    return { outcome: 'foreign', status: 421, error };
  }
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    return { outcome: 'foreign', status: 403, error: `pages of ${origin} may not use this port` };
  if (visitorOf === undefined) return { outcome: 'known', visitor: LOCAL_USER };
  if (isOpen(request.url ?? '', options)) return { outcome: 'known', visitor: NOBODY };
  const token = bearerOf(request.rawHeaders);
  const visitor = token === undefined ? undefined : visitorOf(token);
  return visitor === undefined ? { outcome: 'unknown' } : { outcome: 'known', visitor };
}

/** What health checks come as: they have no token, and nothing that they ask for changes anything. */
const NOBODY: Visitor = { name: 'system:anonymous', groups: ['system:unauthenticated'], may: 'read' };

function isOpen(url: string, { opensMetrics = false }: GuardOptions): boolean {
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  return path === '/livez' || path === '/readyz' || (opensMetrics && path === '/metrics');
}

/** An address is never somebody else's name; `localhost` never leaves the machine. */
function isOurs(host: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    /^\d+\.\d+\.\d+\.\d+$/.test(name) ||
    /^\[[\da-f:.]+\]$/i.test(name)
  );
}
