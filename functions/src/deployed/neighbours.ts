import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';

import { listFiles } from './listing.ts';

/** What one file needs of the folder that it is in. */
export type Neighbours =
  /** Absolute paths, the file itself first. */
  | { readonly files: readonly string[] }
  /** It cannot be told; why. */
  | { readonly unknown: string };

/** `'./x'` and `"../x"`, wherever it stands: an import, a `require`, a `new URL(…, import.meta.url)`. */
const RELATIVE = /(['"`])(\.{1,2}\/[^'"`\n$]+)\1/g;
const KNOWN_URL = /new\s+URL\(\s*(['"`])\.{1,2}\/[^'"`\n$]+\1\s*,\s*import\.meta\.url\s*\)/g;
const LOOKS_AROUND = {
  node: /import\.meta\.(?:url|dirname|filename)|\b__dirname\b|\b__filename\b|\bimport\s*\(\s*[^'"\s]|\brequire\s*\(\s*[^'"\s)]/,
  python: /\b__file__\b|\b__path__\b|\bimportlib\b|\bsys\.path\b/,
  program: /\$\{?0\b|BASH_SOURCE|__file__|\/proc\/self/,
};
const PYTHON_IMPORT = /^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w.]+(?:[ \t]*,[ \t]*[\w.]+)*))/gm;
/** As Node and TypeScript try them where no extension is given. */
const TRIED = ['', '.ts', '.js', '.mjs', '.cjs', '.json', '/index.ts', '/index.js'];
const MAX_FILES = 500;
const MAX_BYTES = 50 * 1024 * 1024;

/**
 * Finds what a file imports or reads relatively, and what that imports, as far as a look at the text can tell. All of
 * it must be within `root`.
 */
export function neighboursOf(file: string, root: string, language: 'node' | 'python' | 'program'): Neighbours {
  const files = new Set([file]);
  for (const current of files) {
    const text = textOf(current);
    if (text === undefined) continue;
    const around = LOOKS_AROUND[language].exec(text.replaceAll(KNOWN_URL, ''));
    if (around !== null) return { unknown: `${current} looks around by itself (${around[0].trim()})` };
    const wanted = language === 'python' ? pythonImports(current, text) : relativePaths(current, text);
    for (const found of wanted) {
      if (!found.startsWith(root + sep)) return { unknown: `${current} uses ${found}, outside of ${root}` };
      files.add(found);
    }
    if (files.size > MAX_FILES) return { unknown: `it uses more than ${MAX_FILES} files` };
  }
  return { files: [...files] };
}

function textOf(file: string): string | undefined {
  if (statSync(file).size > 1024 * 1024) return undefined;
  const text = readFileSync(file, 'utf8');
  // Binary files import nothing that could be found.
  return text.includes('\u0000') ? undefined : text;
}

function relativePaths(file: string, text: string): string[] {
  return [...text.matchAll(RELATIVE)].flatMap(([, , path]) => {
    const place = resolve(dirname(file), path!.replace(/[?#].*$/, ''));
    return TRIED.map((ending) => place + ending).find(isFile) ?? [];
  });
}

function pythonImports(file: string, text: string): string[] {
  const modules = [...text.matchAll(PYTHON_IMPORT)].flatMap(([, from, names]) => (from ?? names!).split(','));
  return modules.flatMap((module) => {
    const name = module.trim().split('.')[0]!;
    // Relative imports are for files of a package, which is here as a whole.
    if (name === '') return [];
    const place = join(dirname(file), name);
    if (isFile(`${place}.py`)) return [`${place}.py`];
    const isPackage = statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? false;
    return isPackage ? (listFiles(place, MAX_BYTES) ?? []).map((it) => it.from) : [];
  });
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
