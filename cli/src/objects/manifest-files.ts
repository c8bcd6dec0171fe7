import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { complaint } from '@millrace/resources/fault';
import type { Fault } from '@millrace/resources/fault';

/** A manifest file that was read. */
export interface ManifestText {
  readonly file: string;
  readonly text: string;
}

/** What could be read, and why the rest could not. */
export interface ManifestTexts {
  readonly texts: readonly ManifestText[];
  readonly faults: readonly Fault[];
}

const MANIFEST = /\.(ya?ml|json)$/i;

/**
 * Reads files, all manifest files of folders and of their folders, as `millrace up` does (hidden ones and `node_modules`
 * are left out), and stdin for `-`. Never throws.
 */
export function readTexts(paths: readonly string[]): ManifestTexts {
  const texts: ManifestText[] = [];
  const faults: Fault[] = [];
  for (const path of paths) {
    const files = path === '-' ? [path] : attempt(path, 'a readable file or folder', () => filesOf(path), faults);
    for (const file of files ?? []) {
      const name = file === '-' ? '<stdin>' : file;
      const text = attempt(name, 'a readable file in UTF-8', () => textOf(file), faults);
      // In a folder, JSON is mostly other people's: a package.json, a tsconfig.json.
      const isForeign = file.endsWith('.json') && file !== path && text?.includes('"apiVersion"') !== true;
      if (text !== undefined && !isForeign) texts.push({ file: name, text });
    }
  }
  return { texts, faults };
}

function filesOf(root: string): string[] {
  if (!statSync(root).isDirectory()) return [root];
  return readdirSync(root, { withFileTypes: true })
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(root, entry.name);
      if (entry.name.startsWith('.') || entry.name === 'node_modules') return [];
      if (entry.isDirectory()) return filesOf(path);
      return MANIFEST.test(entry.name) ? [path] : [];
    });
}

const STDIN = 0;

function textOf(file: string): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file === '-' ? STDIN : file));
}

function attempt<T>(file: string, expected: string, read: () => T, faults: Fault[]): T | undefined {
  try {
    return read();
  } catch (error) {
    const got = (error as { code?: string }).code ?? 'something else';
    faults.push({ place: { file, line: 1, column: 1 }, ...complaint('', expected, got) });
    return undefined;
  }
}
