import { readFileSync, statSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';

import type { Code } from './workload.ts';

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.cjs', '.py'] as const;
const MAIN_NAMES = ['index', 'handler', 'main'] as const;

/** What is known of a declared function about where its code is. */
export interface Wanted {
  readonly namespace: string;
  readonly service: string;
  /** Such as `registry/x/my-agent:latest`: its last part, `my-agent`, is a name to look for. */
  readonly image?: string;
  /** `millrace.dev/code`: a file or a folder, relative to the manifest's folder. When it is there, nothing else is tried. */
  readonly annotation?: string;
  readonly manifestFolder: string;
  readonly codeFolder?: string;
}

/** A file that was found. */
export type FoundCode = Extract<Code, { language: 'node' | 'python' }>;

/**
 * Finds the file of a function: where the annotation says; else under `<manifestFolder>/functions`, `<codeFolder>`
 * and `<codeFolder>/functions` by the service's name, then by the image's. A name stands for a file (`agent.ts`,
 * `.mts`, `.js`, `.mjs`, `.cjs`, `.py`) or for a folder with an `index`, `handler` or `main` of these, or with a
 * `package.json` whose `main` names one. Otherwise says where it looked, for people.
 */
export function findCode(wanted: Wanted): { code: FoundCode } | { lookedAt: string[] } {
  const lookedAt: string[] = [];
  for (const place of placesOf(wanted)) {
    lookedAt.push(place);
    const file = fileAt(place);
    if (file !== undefined) return { code: { language: languageOf(file), file } };
  }
  return { lookedAt };
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

function fileAt(place: string): string | undefined {
  if (isFile(place)) return isCode(place) ? place : undefined;
  return (
    withExtension(place) ?? MAIN_NAMES.map((name) => withExtension(join(place, name))).find(Boolean) ?? mainOf(place)
  );
}

function withExtension(place: string): string | undefined {
  return EXTENSIONS.map((extension) => place + extension).find(isFile);
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

function isCode(file: string): boolean {
  return (EXTENSIONS as readonly string[]).includes(extname(file));
}

function languageOf(file: string): FoundCode['language'] {
  return extname(file) === '.py' ? 'python' : 'node';
}
