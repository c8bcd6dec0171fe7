import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { listFiles } from '../deployed/listing.ts';

/** Packages that code asks for. */
export interface Requirements {
  readonly language: 'node' | 'python';
  /** Where the files are that ask for them. */
  readonly folder: string;
  /** Where those were written: paths in them begin there. */
  readonly origin: string;
  /** Their names in `folder`. */
  readonly files: readonly string[];
  /** Of all that decides what is installed, in hexadecimal digits. */
  readonly hash: string;
  /** How many packages are named, for people. */
  readonly count: number;
}

const MAX_LOCAL_BYTES = 50 * 1024 * 1024;

/**
 * What the code of a folder asks for: `requirements.txt` for Python, `package.json` with dependencies for Node.
 * Undefined when it asks for nothing. Never throws for what is in the files: the installer says what is wrong there.
 */
export function requirementsIn(
  folder: string,
  language: 'node' | 'python',
  origin: string = folder,
): Requirements | undefined {
  return language === 'python' ? pythonRequirements(folder, origin) : nodeRequirements(folder, origin);
}

/**
 * Whether the folder has what its package.json asks for: a `node_modules` of its own is used as it is; else each
 * dependency must be in one further up, as in a workspace.
 */
export function isInstalled(folder: string): boolean {
  if (existsSync(join(folder, 'node_modules'))) return true;
  const names = Object.keys(dependenciesOf(folder) ?? {});
  return names.every((name) => above(folder).some((it) => existsSync(join(it, 'node_modules', name, 'package.json'))));
}

function above(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...above(parent)];
}

function pythonRequirements(folder: string, origin: string): Requirements | undefined {
  const files: string[] = [];
  const hash = createHash('sha256');
  let count = 0;
  const read = (name: string): void => {
    if (files.includes(name) || !existsSync(join(folder, name))) return;
    files.push(name);
    const text = readFileSync(join(folder, name), 'utf8');
    hash.update(`${name}\n${text}\n`);
    for (const line of text.split('\n').map((it) => it.replace(/(?:^|\s)#.*/, '').trim())) {
      const more = /^(?:-r|--requirement|-c|--constraint)[ =]?\s*(\S+)$/.exec(line);
      if (more !== null) read(more[1]!);
      else if (line !== '' && !/^--?(?!e\b|-editable)/.test(line)) count += 1;
      hashLocal(hash, origin, line.replace(/^(?:-e|--editable)\s+/, ''));
    }
  };
  read('requirements.txt');
  return count === 0 ? undefined : { language: 'python', folder, origin, files, hash: hash.digest('hex'), count };
}

const NODE_FILES = ['package.json', 'package-lock.json', 'npm-shrinkwrap.json', '.npmrc'];
/** The rest of a package.json does not change what is installed. */
const RELEVANT = ['dependencies', 'optionalDependencies', 'peerDependencies', 'overrides'];

function nodeRequirements(folder: string, origin: string): Requirements | undefined {
  const dependencies = dependenciesOf(folder);
  if (dependencies === undefined) return undefined;
  const count = Object.keys(dependencies).length;
  if (count === 0) return undefined;
  const description = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  const hash = createHash('sha256');
  hash.update(JSON.stringify(RELEVANT.map((field) => description[field] ?? null)));
  const files = NODE_FILES.filter((name) => existsSync(join(folder, name)));
  for (const name of files.slice(1)) hash.update(`\n${name}\n`).update(readFileSync(join(folder, name)));
  for (const version of Object.values(dependencies)) hashLocal(hash, origin, version);
  return { language: 'node', folder, origin, files, hash: hash.digest('hex'), count };
}

function dependenciesOf(folder: string): Record<string, string> | undefined {
  try {
    const description = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
    const all = { ...(description['dependencies'] as object), ...(description['optionalDependencies'] as object) };
    return Object.fromEntries(Object.entries(all).filter((it): it is [string, string] => typeof it[1] === 'string'));
  } catch {
    // None, or one that says nothing.
    return undefined;
  }
}

/** Where a dependency is a path of this machine: where it leads. */
export function localPath(origin: string, version: string): string | undefined {
  try {
    if (version.startsWith('file://')) return fileURLToPath(version);
  } catch {
    return undefined;
  }
  if (version.startsWith('file:')) return resolve(origin, version.slice('file:'.length));
  return /^(?:\.{0,2}\/)/.test(version) ? resolve(origin, version) : undefined;
}

/** What a path leads to decides too. */
function hashLocal(hash: ReturnType<typeof createHash>, origin: string, version: string): void {
  const path = localPath(origin, version);
  const found = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
  if (path === undefined || found === undefined) return;
  const files = found.isDirectory() ? (listFiles(path, MAX_LOCAL_BYTES) ?? []) : [{ path: '', from: path }];
  for (const file of files) hash.update(`\n${file.path}\n`).update(readFileSync(file.from));
}
