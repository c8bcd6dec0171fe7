import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';

import { localPath } from './requirements.ts';
import type { Requirements } from './requirements.ts';

const PIP_INSTALL = 'python3 -m pip install --no-input --disable-pip-version-check --progress-bar off'.split(' ');
const NPM_INSTALL =
  'install --omit=dev --ignore-scripts --no-audit --no-fund --install-links --no-update-notifier'.split(' ');

/** How the packages of one language are installed. */
export interface Language {
  /** What they depend on beside the requirements: installed for one, they may not work with another. */
  readonly platform: readonly string[] | ((run: (command: readonly string[]) => Promise<string>) => Promise<string>);
  /** Makes the folder ready and says what is to be run in which folder. */
  prepare(requirements: Requirements, folder: string, environment: Readonly<Record<string, string>>): Step;
}

interface Step {
  readonly command: readonly string[];
  readonly folder: string;
}

/** `pip install --target`. */
export const python: Language = {
  platform: (run) => run(['python3', '-c', 'import sys, platform; print(sys.version, platform.platform())']),
  prepare: ({ folder, origin }, to) => ({
    command: [...PIP_INSTALL, '--target', to, '-r', join(folder, 'requirements.txt')],
    // Relative paths in the file begin where it was written.
    folder: existsSync(origin) ? origin : folder,
  }),
};

/** `npm install` in a folder that has the package.json and its lock, and nothing else. Scripts of packages are not run. */
export const node: Language = {
  platform: [process.platform, process.arch, process.versions.modules],
  prepare({ folder, origin, files }, to, environment) {
    mkdirSync(to, { recursive: true });
    const description = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
    const isLocal = (version: string): boolean => localPath(origin, version) !== undefined;
    const groups = ['dependencies', 'optionalDependencies'] as const;
    const all = groups.flatMap((group) => Object.values((description[group] ?? {}) as Record<string, string>));
    const { overrides } = description;
    const stripped: Record<string, unknown> = { name: 'a-function', version: '0.0.0', private: true, overrides };
    for (const group of groups) stripped[group] = absolute(description[group], origin);
    writeFileSync(join(to, 'package.json'), JSON.stringify(stripped));
    // A lock has its local packages by paths that lead elsewhere from here.
    const others = files.filter((name) => name !== 'package.json' && (name === '.npmrc' || !all.some(isLocal)));
    for (const name of others) copyFileSync(join(folder, name), join(to, name));
    return {
      command: [...npmOf(environment['PATH']), ...NPM_INSTALL, '--prefix', to],
      folder: to,
    };
  },
};

function absolute(dependencies: unknown, origin: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries((dependencies ?? {}) as Record<string, string>).map(([name, version]) => {
      const path = localPath(origin, version);
      return [name, path === undefined ? version : `file:${path}`];
    }),
  );
}

/** The npm of this Node, else the one on the PATH; run by this Node. */
function npmOf(path = ''): string[] {
  const beside = dirname(process.execPath);
  const library = resolve(beside, '../lib/node_modules/npm/bin/npm-cli.js');
  if (existsSync(library)) return [process.execPath, library];
  for (const folder of [beside, ...path.split(delimiter)]) {
    const command = join(folder, 'npm');
    if (folder === '' || !existsSync(command)) continue;
    const real = realpathSync(command);
    return real.endsWith('.js') ? [process.execPath, real] : [command];
  }
  return ['npm'];
}
