import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

import type { FoundCode } from '../find-code.ts';
import { isInstalled, requirementsIn } from '../packages/requirements.ts';
import type { Requirements } from '../packages/requirements.ts';
import type { Code } from '../workload.ts';
import { listFiles } from './listing.ts';
import type { CodeFile } from './listing.ts';
import { neighboursOf } from './neighbours.ts';

/** A folder that is larger is not copied: it runs where it is. */
const MAX_BYTES = 50 * 1024 * 1024;

/** Code as it is at this moment. */
export interface Snapshot {
  readonly code: Code;
  /** Of all its files, in hexadecimal digits. */
  readonly hash: string;
  /** How a copy of it is laid out; undefined when it runs where it is. */
  readonly copy: Copy | undefined;
  /** What its packages are; undefined when it asks for none or has them. */
  readonly requirements: Requirements | undefined;
  /** Why it is not copied; empty otherwise. */
  readonly note: string;
}

/** Which files make up a copy, and where in it the code begins. */
export interface Copy {
  readonly files: readonly CodeFile[];
  /** The handler's file or the executable, within the copy; undefined for a command in a folder. */
  readonly entry: string | undefined;
}

/**
 * Looks at code that was found. `except` are folders that are not part of any code, wherever they are. Throws what the
 * file system throws when something cannot be read.
 */
export function snapshotOf(found: FoundCode, except: readonly string[] = []): Snapshot {
  const { code } = found;
  const requirements = requirementsOf(found);
  const listed = filesOf(found, except);
  const asked = (requirements?.files ?? []).map((path) => ({ path, from: join(requirements!.folder, path) }));
  const inPlace = 'note' in listed;
  const files = unique([...listed.files, ...(inPlace ? asked : placedAt(found, asked))]);
  return {
    code,
    hash: hashOf(code, files),
    copy: inPlace ? undefined : { files, entry: listed.entry },
    requirements,
    note: inPlace ? listed.note : '',
  };
}

/** The same code where its copy is. */
export function placed(code: Code, copy: Pick<Copy, 'entry'>, folder: string): Code {
  if (code.language === 'image') return code;
  if (code.language !== 'program') {
    return { language: code.language, file: join(folder, copy.entry!), origin: code.file };
  }
  if (copy.entry === undefined) return { ...code, folder };
  return { ...code, command: [join(folder, copy.entry), ...code.command.slice(1)] };
}

type Listed = { files: CodeFile[]; entry: string | undefined } | { files: CodeFile[]; note: string };

function filesOf({ code, folder, root }: FoundCode, except: readonly string[]): Listed {
  const file = code.language === 'program' ? executableOf(code) : code.file;
  if (folder !== undefined) {
    const files = listFiles(folder, MAX_BYTES, except);
    const entry = file === undefined ? undefined : relative(folder, file);
    if (files !== undefined) return { files, entry };
    return {
      files: file === undefined ? [] : [{ path: entry!, from: file }],
      note: `its folder ${folder} is too large to be copied: its code cannot be rolled back`,
    };
  }
  if (file === undefined) {
    return {
      files: namedIn(code as Program),
      note: 'its command runs where it is: its code cannot be rolled back; name its folder with millrace.dev/code',
    };
  }
  const neighbours = neighboursOf(file, root, code.language);
  if ('files' in neighbours) {
    const files = neighbours.files.map((from) => ({ path: relative(root, from), from }));
    return { files: [...files, ...typeOf(file, root, files)], entry: relative(root, file) };
  }
  return {
    files: [{ path: basename(file), from: file }],
    note: `it runs where it is, as ${neighbours.unknown}: its code cannot be rolled back; give it a folder of its own`,
  };
}

type Program = Extract<Code, { language: 'program' }>;

/** An executable file that was found, rather than a command in a folder. */
function executableOf(code: Program): string | undefined {
  const [first = ''] = code.command;
  return dirname(first) === code.folder && existsSync(first) ? first : undefined;
}

/** The files of its folder that a command names. */
function namedIn({ command, folder }: Program): CodeFile[] {
  return command.flatMap((word) => {
    const from = resolve(folder, word);
    const isFile = statSync(from, { throwIfNoEntry: false })?.isFile() ?? false;
    return isFile ? [{ path: word, from }] : [];
  });
}

/** What says whether `.js` files are modules goes with them. */
function typeOf(file: string, root: string, files: readonly CodeFile[]): CodeFile[] {
  if (!/\.[jt]s$/.test(file)) return [];
  for (let folder = dirname(file); folder.length >= root.length; folder = dirname(folder)) {
    const from = join(folder, 'package.json');
    const path = relative(root, from);
    if (files.some((it) => it.path === path)) return [];
    if (existsSync(from)) return [{ path, from }];
    if (folder === dirname(folder)) return [];
  }
  return [];
}

function requirementsOf({ code, folder }: FoundCode): Requirements | undefined {
  if (code.language === 'program') return undefined;
  const at = folder ?? dirname(code.file);
  if (code.language === 'node' && isInstalled(at)) return undefined;
  return requirementsIn(at, code.language);
}

/** Files that ask for packages, where they are in a copy: as far from the entry as they are from it now. */
function placedAt({ code, folder, root }: FoundCode, files: readonly CodeFile[]): CodeFile[] {
  if (folder !== undefined || code.language === 'program') return [...files];
  const base = relative(root, dirname(code.file));
  return files.map(({ path, from }) => ({ path: join(base, path), from }));
}

function unique(files: readonly CodeFile[]): CodeFile[] {
  return [...new Map(files.map((it) => [it.path, it])).values()].toSorted((one, other) =>
    one.path < other.path ? -1 : 1,
  );
}

/** Of files by their names and bytes; where they are does not matter. */
export function hashOf(code: Code, files: readonly CodeFile[]): string {
  const hash = createHash('sha256').update(kindOf(code));
  for (const { path, from } of files) {
    const bytes = readFileSync(from);
    hash.update(`\n${path}\n${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

function kindOf(code: Code): string {
  if (code.language === 'image') return JSON.stringify(code);
  if (code.language !== 'program') return code.language;
  const { command, folder, speaks } = code;
  return JSON.stringify([speaks, ...command.map((word) => (word.startsWith(folder) ? relative(folder, word) : word))]);
}
