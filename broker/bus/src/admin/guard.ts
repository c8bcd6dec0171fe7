import type { IncomingHttpHeaders } from 'node:http';

/** Why a request may not be answered. */
export interface Foreign {
  readonly status: 403 | 421;
  readonly error: string;
}

/**
 * Keeps web pages out. A page in the user's browser can send requests to loopback, under its own `Origin`; and a name
 * that resolves to loopback (DNS rebinding) brings its own `Host`. Commands send neither a foreign one nor the other.
 */
export function foreign({ host = '', origin }: IncomingHttpHeaders): Foreign | undefined {
  if (!isOurs(host)) return { status: 421, error: `the host "${host}" is not this one: use localhost or an address` };
  if (origin !== undefined && origin !== `http://${host}`)
    return { status: 403, error: `pages of ${origin} may not use this port` };
  return undefined;
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
