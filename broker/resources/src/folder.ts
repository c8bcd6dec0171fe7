import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { complaint } from './fault.ts';
import type { Fault } from './fault.ts';
import { readManifests } from './manifest.ts';
import type { Manifest } from './manifest.ts';

const MANIFEST = /\.(ya?ml|json)$/i;

/**
 * Reads a file, or all `*.yaml`, `*.yml` and `*.json` files of a folder and its folders, sorted by name; hidden ones
 * and `node_modules` are left out. Never throws: what cannot be read is a fault.
 */
export function readFolder(pathOrFile: string): Manifest {
  return readFolders([pathOrFile]);
}

/** The same for several: what is declared in two of them is declared twice. */
export function readFolders(pathsOrFiles: readonly string[]): Manifest {
  const unreadable: Fault[] = [];
  const files: { text: string; file: string }[] = [];
  const refuse: Refuse = (file, expected, got) => {
    unreadable.push({ place: { file, line: 1, column: 1 }, ...complaint('', expected, got) });
    return undefined;
  };

  for (const file of pathsOrFiles.flatMap((path) => filesOf(path, refuse))) {
    const text = textOf(file, refuse);
    // In a folder, JSON is mostly other people's: a package.json, a tsconfig.json.
    if (text !== undefined && file.endsWith('.json') && !pathsOrFiles.includes(file) && !text.includes('"apiVersion"'))
      continue;
    if (text !== undefined) files.push({ text, file });
  }
  const manifest = readManifests(files);
  return { ...manifest, faults: [...unreadable, ...manifest.faults] };
}

/** Tells of a file that is refused; gives undefined, in place of its text. */
type Refuse = (file: string, expected: string, got: string) => undefined;

const MAX_BYTES = 64 * 1024 * 1024;

function filesOf(root: string, refuse: Refuse): string[] {
  try {
    if (!statSync(root).isDirectory()) return [root];
    return readdirSync(root, { withFileTypes: true })
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .flatMap((entry) => {
        const path = joinPath(root, entry.name);
        if (entry.name.startsWith('.') || entry.name === 'node_modules') return [];
        // A link (as a mounted ConfigMap has them) is followed to a file, not to a folder: that could be a circle.
        if (entry.isDirectory()) return filesOf(path, refuse);
        return MANIFEST.test(entry.name) ? [path] : [];
      });
  } catch (error) {
    refuse(root, 'a readable file or folder', codeOf(error));
    return [];
  }
}

function textOf(file: string, refuse: Refuse): string | undefined {
  try {
    const found = statSync(file);
    // Reading a pipe would wait for ever.
    if (!found.isFile()) return refuse(file, 'a file', 'no file');
    // The reader has its own, lower limit; this one keeps a stray disk image out of memory.
    if (found.size > MAX_BYTES) return refuse(file, `a file of at most ${MAX_BYTES} bytes`, String(found.size));
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    return refuse(file, 'a readable file in UTF-8', codeOf(error));
  }
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? 'something else';
}
