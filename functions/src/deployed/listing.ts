import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** A file of a function's code. */
export interface CodeFile {
  /** Within the code, with `/`. */
  readonly path: string;
  /** Where it is, absolute. */
  readonly from: string;
}

/** What no code is: installed packages, compiled leftovers. Names that begin with a dot are left out, too. */
const LEFT_OUT = new Set(['node_modules', '__pycache__']);

/** Whether a file or folder of this name is of no interest. */
export function isLeftOut(name: string): boolean {
  return name.startsWith('.') || LEFT_OUT.has(name);
}

/**
 * All files under a folder, sorted, without what is no code and without the folders of `except`. Links are followed to
 * files only. Undefined when they are more than `maxBytes` together, or more than 10,000.
 */
export function listFiles(folder: string, maxBytes: number, except: readonly string[] = []): CodeFile[] | undefined {
  const files: CodeFile[] = [];
  let bytes = 0;
  const list = (from: string): boolean => {
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      const path = join(from, entry.name);
      if (isLeftOut(entry.name) || except.includes(path)) continue;
      if (entry.isDirectory()) {
        if (!list(path)) return false;
        continue;
      }
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined || !found.isFile()) continue;
      bytes += found.size;
      files.push({ path: relative(folder, path).replaceAll('\\', '/'), from: path });
      if (bytes > maxBytes || files.length > MAX_FILES) return false;
    }
    return true;
  };
  return list(folder) ? files.toSorted((one, other) => (one.path < other.path ? -1 : 1)) : undefined;
}

const MAX_FILES = 10_000;
