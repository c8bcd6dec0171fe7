import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What a file of Python's names in its imports. */
export interface PythonImports {
  /** Modules with their packages, such as `google.cloud`, in order. What is standard is among them. */
  readonly modules: readonly string[];
  /** What the file would find beside itself before anything else. */
  readonly neighbours: ReadonlySet<string>;
}

const NAME = String.raw`[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*`;
const STATEMENT = new RegExp(String.raw`^[ \t]*(?:import[ \t]+([^#\n;]+)|from[ \t]+(${NAME})[ \t]+import\b)`, 'gm');
const MAX_FILES = 20;
const MAX_FILE_CHARACTERS = 1024 * 1024;

/**
 * The modules that a file imports, also inside of functions, and those that its neighbours import that it imports. A
 * mention that is no import, as in a docstring, is among them: there is no such module then. `origin` is where the file
 * was copied from: its neighbours are there.
 */
export function pythonImports(file: string, origin?: string): PythonImports {
  const folders = [...new Set([file, ...(origin === undefined ? [] : [origin])].map((path) => dirname(path)))];
  const neighbours = new Set(folders.flatMap(modulesIn));
  const modules = new Set<string>();
  const files = [file];
  // It grows while it is gone through.
  for (const one of files) {
    for (const module of modulesNamedIn(textOf(one))) {
      const [top = ''] = module.split('.', 1);
      if (!neighbours.has(top)) modules.add(module);
      else if (files.length < MAX_FILES) files.push(...newFilesOf(folders, top, files));
    }
  }
  return { modules: [...modules].toSorted(), neighbours };
}

function modulesIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.name.endsWith('.py') || entry.isDirectory())
      .map((entry) => basename(entry.name, '.py'));
  } catch {
    return [];
  }
}

function* modulesNamedIn(text: string): Generator<string> {
  for (const [, imported, from] of text.matchAll(STATEMENT)) {
    if (from !== undefined) yield from;
    // `import a.b as c, d`
    for (const part of imported?.split(',') ?? []) {
      const name = new RegExp(`^\\s*(${NAME})\\s*(?:\\bas\\b.*)?$`).exec(part)?.[1];
      if (name !== undefined) yield name;
    }
  }
}

function newFilesOf(folders: readonly string[], module: string, known: readonly string[]): string[] {
  const places = folders.flatMap((folder) => [join(folder, `${module}.py`), join(folder, module, '__init__.py')]);
  const found = places.find((place) => existsSync(place));
  return found === undefined || known.includes(found) ? [] : [found];
}

/** A file that cannot be read is the business of the instance. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(0, MAX_FILE_CHARACTERS);
  } catch {
    return '';
  }
}
