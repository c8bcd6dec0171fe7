import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

import { CommandFailure } from './exit-codes.ts';
import { addressOf, shownAddress } from './http.ts';

/** How the admin port is found and entered, as it was given. */
export interface AdminAddress {
  readonly url: string;
  /** A file with the token. Default: `MILLRACE_TOKEN`, else, for this machine, the one in the data folder. */
  readonly tokenFile?: string | undefined;
  /** A file with the certificates that vouch for the port, in PEM. Default: for this machine, the one in the data folder. */
  readonly caFile?: string | undefined;
}

/** How it is reached. */
export interface AdminReach {
  readonly base: URL;
  /** The address as people may see it. */
  readonly url: string;
  /** What each request brings. */
  readonly headers: Readonly<Record<string, string>>;
  readonly token: string | undefined;
  /** Trusted beside the authorities that node knows; PEM. */
  readonly ca: string | undefined;
}

/** The certificates that `millrace up` shows, which it leaves in the data folder for commands on the same machine. */
export const CERTIFICATES = { admin: 'admin.crt', events: 'events.crt' } as const;
/** The token that `millrace up` made. */
export const ADMIN_TOKEN = 'admin.token';

/**
 * Reads what is given. A token of the data folder goes to this machine alone, and none goes where the address has a name
 * and a password. Throws a {@link CommandFailure} for an address that is none, and for files that cannot be read.
 */
export function reachOf(
  given: AdminAddress | string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): AdminReach {
  const { url, tokenFile, caFile } = typeof given === 'string' ? { url: given } : given;
  const base = addressOf(url, '--admin');
  const token =
    tokenFile === undefined
      ? (environment['MILLRACE_TOKEN'] ?? (base.username === '' ? ownFile(base, ADMIN_TOKEN, environment) : undefined))
      : read(tokenFile, '--token-file');
  const plain = token?.trim();
  const headers: Record<string, string> =
    plain === undefined || plain === '' ? {} : { authorization: `Bearer ${plain}` };
  return {
    base,
    url: shownAddress(base),
    headers,
    token: plain,
    ca: certificateFor(base, { caFile, port: 'admin' }, environment),
  };
}

/**
 * What vouches for an address beside the authorities that node knows, in PEM: what is given, or what the process on this
 * machine has left of the port. Throws a {@link CommandFailure} for a file that cannot be read.
 */
export function certificateFor(
  address: URL,
  { caFile, port }: { readonly caFile: string | undefined; readonly port: keyof typeof CERTIFICATES },
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  if (caFile !== undefined) return read(caFile, '--ca-file');
  return address.protocol === 'https:' ? ownFile(address, CERTIFICATES[port], environment) : undefined;
}

/** What a file of the data folder holds, where the address leads to this machine. */
function ownFile(
  address: URL,
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  return isThisMachine(address) ? found(join(environment['MILLRACE_DATA'] ?? '.millrace', name)) : undefined;
}

/** Whether an address leads to this machine, as far as that can be seen without asking anybody. */
function isThisMachine({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host === '::1' || /^127(?:\.\d+){3}$/.test(host)) return true;
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === host) === true);
}

function found(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function read(file: string, flag: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandFailure('usage', `${flag}: expected a readable file, got ${code} for ${file}`);
  }
}
