import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readPrivate, writePrivate } from '@millrace/apiserver/objects/sqlite/key-file';
import type { GuardOptions } from '@millrace/bus/admin/guard';
import { knownVisitors } from '@millrace/bus/security/visitor';

import { ADMIN_TOKEN } from '../admin-address.ts';
import { CommandFailure } from '../exit-codes.ts';
import type { Settings } from './settings.ts';

/** The files in the data folder that hold the tokens of the admin port. */
export const TOKEN_FILES = { admin: ADMIN_TOKEN, reader: 'admin.read-token' } as const;

const TOKEN_BYTES = 32;
/** Shorter ones can be tried out. */
const SHORTEST = 16;

type Given = Pick<
  Settings,
  | 'adminHost'
  | 'adminPort'
  | 'adminTls'
  | 'adminTokenFile'
  | 'adminReadTokenFile'
  | 'dataFolder'
  | 'insecureAdmin'
  | 'metricsWithoutToken'
>;

/**
 * Refuses to listen where tokens could be read on their way. Throws a {@link CommandFailure} with what to do; nothing has
 * been opened by then.
 */
export function refuseOpenAdmin({ adminHost, adminPort, adminTls, insecureAdmin }: Given): void {
  if (isLoopback(adminHost) || adminTls !== undefined || insecureAdmin) return;
  throw new CommandFailure(
    'usage',
    `${adminHost}:${adminPort} would take tokens over plain HTTP, where others can read them: ` +
      'give --admin-tls-cert and --admin-tls-key, or leave --admin-host at 127.0.0.1 with a proxy before it, ' +
      'or say --insecure-admin where the network is nobody else’s',
  );
}

/**
 * Who may come in at the admin port: on loopback whoever is on this machine, unless a token is given; elsewhere who has a
 * token of the files that are given, or of the data folder, where they are made at the first start. Throws a
 * {@link CommandFailure} for a file that holds none.
 */
export function adminGuard(given: Given): GuardOptions {
  const { adminHost, adminTokenFile, adminReadTokenFile, dataFolder, metricsWithoutToken } = given;
  if (isLoopback(adminHost) && adminTokenFile === undefined && adminReadTokenFile === undefined) return {};
  const admin = tokenIn(adminTokenFile, join(dataFolder, TOKEN_FILES.admin), '--admin-token-file');
  const reader = tokenIn(adminReadTokenFile, join(dataFolder, TOKEN_FILES.reader), '--admin-read-token-file');
  if (admin === reader) {
    throw new CommandFailure('usage', '--admin-read-token-file: expected another token than --admin-token-file has');
  }
  return { visitorOf: knownVisitors({ admin, reader }), opensMetrics: metricsWithoutToken };
}

/** Whether an address to listen on is one of this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function tokenIn(given: string | undefined, own: string, flag: string): string {
  if (given !== undefined) return checked(readGiven(given, flag), given, 'usage');
  const kept = readOwn(own);
  if (kept !== undefined) return checked(kept, own, 'storage');
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  writePrivate(own, Buffer.from(`${token}\n`));
  return token;
}

function readOwn(file: string): string | undefined {
  try {
    return readPrivate(file)?.toString();
  } catch (error) {
    throw new CommandFailure('storage', (error as Error).message);
  }
}

function readGiven(file: string, flag: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandFailure('usage', `${flag}: expected a readable file with a token, got ${code} for ${file}`);
  }
}

/** What is wrong is told; what stands there is not. */
function checked(text: string, file: string, kind: 'usage' | 'storage'): string {
  const token = text.trim();
  if (token.length >= SHORTEST && /^[\w.~+/-]+=*$/.test(token)) return token;
  throw new CommandFailure(
    kind,
    `${file}: expected a token of at least ${SHORTEST} letters, digits and ._~+/- (openssl rand -hex 32 makes one)`,
  );
}
