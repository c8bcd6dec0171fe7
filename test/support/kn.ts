import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { cacheFolder, fillFolder, provide } from './component.ts';
import type { Provided } from './component.ts';

/** The newest whose packages are all in the module proxy. */
const VERSION = '0.41.0';
const PACKAGE = 'knative.dev/client/cmd/kn';

/**
 * The real `kn`, built from Go's module proxy, or why there is none. `MILLRACE_KN` may name another one. Building it
 * takes minutes, once; it may be a good neighbour meanwhile.
 */
export function provideKn(): Promise<Provided<string>> {
  const folder = cacheFolder(`kn-${VERSION}`);
  const command = join(folder, 'kn');
  return provide<string>({
    name: `kn ${VERSION}`,
    given: () => process.env['MILLRACE_KN'],
    cached: () => (existsSync(command) ? command : undefined),
    obstacle: () =>
      existsSync(command) || spawnSync('go', ['version'], { stdio: 'ignore' }).error === undefined
        ? undefined
        : 'there is no go on the PATH to build it with',
    async fetch() {
      await fillFolder(folder, async (temporary) => {
        const module = join(temporary, 'module');
        mkdirSync(module);
        writeFileSync(join(module, 'go.mod'), `module tools\n\ngo 1.25\n\nrequire knative.dev/client v${VERSION}\n`);
        const env = { ...process.env, GOFLAGS: '-mod=mod', CGO_ENABLED: '0' };
        await promisify(execFile)('go', ['build', '-o', join(temporary, 'kn'), PACKAGE], { cwd: module, env });
        rmSync(module, { recursive: true });
      });
      return command;
    },
  });
}
