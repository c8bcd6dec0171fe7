import { X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, unwatchFile, watchFile, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';

import type { Identity } from '@millrace/bus/security/tls';

import { CERTIFICATES } from '../admin-address.ts';
import { CommandFailure } from '../exit-codes.ts';

/** The files of a certificate and its key, in PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** Which options name them: `--admin-tls` for `--admin-tls-cert` and `--admin-tls-key`. */
export type TlsFlag = '--tls' | '--admin-tls';

/** Both, or none: one alone is a mistake. Throws a {@link CommandFailure}. */
export function tlsFilesOf(cert: string | undefined, key: string | undefined, flag: TlsFlag): TlsFiles | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key };
  const [given, other] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
  throw new CommandFailure('usage', `${flag}-${given}: expected ${flag}-${other} beside it`);
}

/** Reads them. Throws a {@link CommandFailure} for files that cannot be read, or do not fit each other. */
export function readIdentity(files: TlsFiles, flag: TlsFlag): Identity {
  const identity = { cert: read(files.cert, `${flag}-cert`), key: read(files.key, `${flag}-key`) };
  try {
    createSecureContext(identity);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandFailure(
      'usage',
      `${flag}-cert, ${flag}-key: expected a certificate and its key in PEM, got what does not fit (${code})`,
    );
  }
  return identity;
}

/**
 * Leaves the certificate of a port in the data folder, so that commands on this machine can tell who answers them; without
 * one, takes away what was left before. A certificate is no secret.
 */
export function leaveCertificate(dataFolder: string, flag: TlsFlag, identity: Identity | undefined): void {
  const file = join(dataFolder, flag === '--tls' ? CERTIFICATES.events : CERTIFICATES.admin);
  if (identity === undefined) rmSync(file, { force: true });
  else writeFileSync(file, identity.cert);
}

/** The certificate, where nobody but itself vouches for it; else undefined. */
export function ownCertificate({ cert }: Identity): string | undefined {
  const { issuer, subject } = new X509Certificate(cert);
  return issuer === subject ? cert : undefined;
}

/** How the files are followed. */
export interface Following {
  readonly changed: (identity: Identity) => void;
  /** What is there does not fit, as while only one of the two is written: what was there before goes on. */
  readonly warn: (text: string) => void;
  /** Milliseconds between two looks. Default: 2000. */
  readonly everyMs?: number;
}

/** Tells of another certificate until the function that it gives is called. Links, as Kubernetes makes them, are followed. */
export function followIdentity(
  files: TlsFiles,
  flag: TlsFlag,
  { changed, warn, everyMs = 2_000 }: Following,
): () => void {
  let shown = JSON.stringify(readIdentity(files, flag));
  let told = '';
  const look = (): void => {
    try {
      const identity = readIdentity(files, flag);
      const now = JSON.stringify(identity);
      told = '';
      if (now === shown) return;
      shown = now;
      changed(identity);
    } catch (error) {
      const { message } = error as Error;
      if (message !== told) warn(`${message}; the certificate from before goes on`);
      told = message;
    }
  };
  const all = [files.cert, files.key];
  for (const file of all) watchFile(file, { interval: everyMs, persistent: false }, look);
  return () => {
    for (const file of all) unwatchFile(file, look);
  };
}

function read(file: string, flag: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailure(
      'usage',
      `${flag}: expected a readable file, got ${(error as NodeJS.ErrnoException).code}`,
    );
  }
}
