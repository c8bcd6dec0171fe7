import { spawnSync } from 'node:child_process';

import { provide } from './component.ts';
import type { TestFolder } from './process.ts';

const openssl = await provide<string>({
  name: 'openssl',
  obstacle: () =>
    spawnSync('openssl', ['version'], { stdio: 'ignore' }).error === undefined
      ? undefined
      : 'there is no openssl on the PATH',
  cached: () => 'openssl',
  fetch: async () => 'openssl',
});

/** Why no certificates can be made here; false when they can. */
export const NO_OPENSSL = 'skip' in openssl ? openssl.skip : false;

/** Makes a certificate that vouches for itself, for this machine, and its key; gives their paths. */
export function makeCertificate(folder: TestFolder, name: string): { cert: string; key: string } {
  const [cert, key] = [folder.at(`${name}.crt`), folder.at(`${name}.key`)];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];
  const who = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-days', '2'];
  const { status, stderr } = spawnSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...who]);
  if (status !== 0) throw new Error(`openssl made no certificate: ${String(stderr)}`);
  return { cert, key };
}
