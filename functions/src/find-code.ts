import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';

import type { Code } from './workload.ts';

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.cjs', '.py'] as const;
const MAIN_NAMES = ['index', 'handler', 'main'] as const;

/** What is known of a declared function about where its code is. */
export interface Wanted {
  readonly namespace: string;
  readonly service: string;
  /** Such as `registry/x/my-agent:latest`: its last part, `my-agent`, is a name to look for. */
  readonly image?: string | undefined;
  /** `millrace.dev/code`: a file or a folder, relative to the manifest's folder. When it is there, nothing else is tried. */
  readonly annotation?: string | undefined;
  readonly manifestFolder: string;
  readonly codeFolder?: string | undefined;
  /** A command that is run in the place of a handler, and what follows it. */
  readonly command?: readonly string[] | undefined;
  readonly arguments?: readonly string[] | undefined;
  /** How a program is called. Default: `http`. */
  readonly speaks?: 'http' | 'stdio' | undefined;
}

/** Code that was found. */
export interface FoundCode {
  readonly code: Exclude<Code, { language: 'image' }>;
  /** When the code is a whole folder: which. */
  readonly folder?: string | undefined;
  /** What the code may need beside itself is in here. */
  readonly root: string;
}

/**
 * Finds the code of a function: where the annotation says; else under `<manifestFolder>/functions`, `<codeFolder>`
 * and `<codeFolder>/functions` by the service's name, then by the image's. A name stands for a file (`agent.ts`,
 * `.mts`, `.js`, `.mjs`, `.cjs`, `.py`), for a folder with an `index`, `handler` or `main` of these, or with a
 * `package.json` whose `main` names one, or for any other file that may be executed (`resize.sh`, a binary). A
 * command runs in the annotated folder, else in the manifest's. Otherwise says where it looked, for people.
 */
export function findCode(wanted: Wanted): FoundCode | { lookedAt: string[] } {
  if (wanted.command !== undefined && wanted.command.length > 0) return commandOf(wanted, wanted.command);
  const lookedAt: string[] = [];
  for (const place of placesOf(wanted)) {
    lookedAt.push(place);
    const found = fileAt(place);
    if (found === undefined) continue;
    const { file, folder } = found;
    return { code: codeOf(file, wanted), folder, root: folder ?? rootOf(file, wanted) };
  }
  return { lookedAt };
}

function commandOf(wanted: Wanted, command: readonly string[]): FoundCode | { lookedAt: string[] } {
  const { annotation, manifestFolder, speaks = 'http' } = wanted;
  const place = resolve(manifestFolder, annotation ?? '.');
  const found = statSync(place, { throwIfNoEntry: false });
  if (found === undefined) return { lookedAt: [place] };
  const folder = found.isDirectory() ? place : dirname(place);
  const code = { language: 'program', command: [...command, ...(wanted.arguments ?? [])], folder, speaks } as const;
  // Without an annotation it is the folder of all manifests, which is nobody's code.
  return { code, folder: annotation !== undefined && found.isDirectory() ? folder : undefined, root: folder };
}

function codeOf(file: string, wanted: Wanted): FoundCode['code'] {
  if (isCode(file)) return { language: extname(file) === '.py' ? 'python' : 'node', file };
  const { speaks = 'http' } = wanted;
  return { language: 'program', command: [file, ...(wanted.arguments ?? [])], folder: dirname(file), speaks };
}

/** The outermost of the folders where code is looked for that the file is in. */
function rootOf(file: string, { manifestFolder, codeFolder }: Wanted): string {
  const isIn = (folder: string | undefined): folder is string =>
    folder !== undefined && file.startsWith(join(folder, '/'));
  return [manifestFolder, codeFolder].find(isIn) ?? dirname(file);
}

function placesOf(wanted: Wanted): string[] {
  if (wanted.annotation !== undefined) return [resolve(wanted.manifestFolder, wanted.annotation)];
  const folders = [join(wanted.manifestFolder, 'functions')];
  if (wanted.codeFolder !== undefined) folders.push(wanted.codeFolder, join(wanted.codeFolder, 'functions'));
  const names = [wanted.service, ...(wanted.image === undefined ? [] : [lastPart(wanted.image)])];
  const places = folders.flatMap((folder) => names.filter(isName).map((name) => resolve(folder, name)));
  return [...new Set(places)];
}

/** `host:5000/team/my-agent:latest@sha256:…` → `my-agent`. */
function lastPart(image: string): string {
  return basename(image.split('@')[0]!).split(':')[0]!;
}

/** A name may not lead out of the folder. */
function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\]/.test(name);
}

interface FoundFile {
  readonly file: string;
  readonly folder?: string | undefined;
}

function fileAt(place: string): FoundFile | undefined {
  const alone = fileNamed(place);
  if (alone !== undefined) return { file: alone };
  const main = MAIN_NAMES.map((name) => fileNamed(join(place, name))).find(Boolean) ?? mainOf(place);
  return main === undefined ? undefined : { file: main, folder: place };
}

function fileNamed(place: string): string | undefined {
  if (isFile(place)) return isCode(place) || isExecutable(place) ? place : undefined;
  return EXTENSIONS.map((extension) => place + extension).find(isFile) ?? executableNamed(place);
}

/** `resize` also stands for `resize.sh`, when that may be executed. */
function executableNamed(place: string): string | undefined {
  const prefix = `${basename(place)}.`;
  try {
    const names = readdirSync(dirname(place)).filter((name) => name.startsWith(prefix));
    return names
      .toSorted()
      .map((name) => join(dirname(place), name))
      .find((path) => isFile(path) && isExecutable(path));
  } catch {
    // No folder, no file.
    return undefined;
  }
}

function mainOf(folder: string): string | undefined {
  const description = join(folder, 'package.json');
  if (!isFile(description)) return undefined;
  try {
    const { main } = JSON.parse(readFileSync(description, 'utf8')) as { main?: unknown };
    const file = typeof main === 'string' ? resolve(folder, main) : '';
    return isFile(file) && isCode(file) ? file : undefined;
  } catch {
    // A package.json that cannot be read names no file.
    return undefined;
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    // Where every file may be executed, such as on a mounted foreign disk, root may execute none of these all the same.
    return (statSync(path).mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

function isCode(file: string): boolean {
  return (EXTENSIONS as readonly string[]).includes(extname(file));
}
