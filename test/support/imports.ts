import { existsSync, globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, posix } from 'node:path';

/** The sources of all workspaces as a graph: which file imports what, and where. Paths are relative to the root. */

/** One import: static, dynamic, or of a type. */
export interface Import {
  /** The file that imports. */
  readonly from: string;
  /** Counted from 1. */
  readonly line: number;
  /** As it is written. */
  readonly specifier: string;
  /** `import type`, `export type … from`, or a type written `import('…').Name`. */
  readonly typeOnly: boolean;
  /** The file of ours that it leads to, the name of a foreign package, or neither for a part of node. */
  readonly to: { readonly file: string } | { readonly foreign: string } | undefined;
}

/** What the nearest package.json of a file declares. */
export interface Manifest {
  readonly path: string;
  readonly name: string | undefined;
  readonly declared: ReadonlySet<string>;
}

export interface Sources {
  readonly files: readonly string[];
  readonly imports: readonly Import[];
  readonly manifestOf: (file: string) => Manifest;
}

/** Reads all `.ts` and `.mjs` files of the workspaces under a root. */
export function readSources(root: string): Sources {
  const workspaces = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { workspaces: string[] })
    .workspaces;
  const packages = new Map(workspaces.map((folder) => [manifestAt(root, folder).name, folder]));
  const files = globSync(
    workspaces.map((folder) => `${folder}/**/*.{ts,mjs}`),
    { cwd: root, exclude: (path) => /(?:^|\/)(?:node_modules|dist)(?:\/|$)/.test(path) },
  ).toSorted();
  return {
    files,
    imports: files.flatMap((from) =>
      importsOf(readFileSync(join(root, from), 'utf8')).map((one) =>
        Object.assign(one, { from, to: resolve(from, one.specifier, packages) }),
      ),
    ),
    manifestOf: (file) => {
      let folder = dirname(file);
      while (folder !== '.' && !existsSync(join(root, folder, 'package.json'))) folder = dirname(folder);
      return manifestAt(root, folder);
    },
  };
}

// What begins a line, so that most of what stands in comments and texts is no import. What is between `import` and
// `from` holds no quotes and no semicolons.
const STATIC = /^[ \t]*(?:import|export)(?<type>\s+type\b)?[^'"`;=()]*?(?:\bfrom\s*)?['"](?<specifier>[^'"\n]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"`](?<specifier>[^'"`\n]+)['"`]\s*\)(?<type>\.[A-Z])?/g;
const COMMENT = /^[ \t]*(?:\/\/|\/?\*)/;

/** The imports of a text of TypeScript or JavaScript, in their order. */
export function importsOf(text: string): Pick<Import, 'line' | 'specifier' | 'typeOnly'>[] {
  const statics = text
    .matchAll(STATIC)
    .filter(({ 0: whole }) => /\bfrom\s*['"]|^\s*import\s*['"]/.test(whole))
    .toArray();
  const dynamics = text
    .matchAll(DYNAMIC)
    .filter(({ index }) => !COMMENT.test(lineAt(text, index)))
    .toArray();
  return [...statics, ...dynamics]
    .map(({ index, groups, 0: whole }) => ({
      line: text.slice(0, index + whole.search(/\S/)).split('\n').length,
      specifier: groups!['specifier']!,
      typeOnly: groups!['type'] !== undefined,
    }))
    .toSorted((a, b) => a.line - b.line);
}

/** Every shortest circle of imports between files of ours, as a path that ends where it begins. */
export function circlesOf(imports: readonly Import[]): string[] {
  const edges = new Map<string, string[]>();
  for (const { from, to } of imports) {
    if (to !== undefined && 'file' in to) edges.set(from, [...(edges.get(from) ?? []), to.file]);
  }
  const circles = new Map<string, string>();
  for (const file of edges.keys()) {
    const circle = shortestCircle(file, edges);
    if (circle === undefined) continue;
    const members = circle.toSorted().join(' ');
    if (!circles.has(members)) circles.set(members, [...circle, file].join(' -> '));
  }
  return [...circles.values()];
}

function shortestCircle(start: string, edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const paths = [[start]];
  const seen = new Set<string>();
  for (const path of paths) {
    for (const next of edges.get(path.at(-1)!) ?? []) {
      if (next === start) return path;
      if (seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  }
  return undefined;
}

function lineAt(text: string, index: number): string {
  return text.slice(text.lastIndexOf('\n', index) + 1, index);
}

function resolve(from: string, specifier: string, packages: ReadonlyMap<string | undefined, string>): Import['to'] {
  if (specifier.startsWith('.')) return { file: posix.join(posix.dirname(from), specifier) };
  if (isBuiltin(specifier)) return undefined;
  // What our runner gives to every file of an author's.
  if (specifier === 'millrace/agent') return { file: 'functions/src/agent/agent.ts' };
  const parts = specifier.split('/');
  const name = parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  const folder = packages.get(name);
  if (folder === undefined) return { foreign: name };
  const inside = specifier.slice(name.length + 1);
  // As the `exports` of our packages have it: the root is the file named after the folder.
  return { file: posix.join(folder, 'src', `${inside === '' ? posix.basename(folder) : inside}.ts`) };
}

function manifestAt(root: string, folder: string): Manifest {
  const path = posix.join(folder, 'package.json');
  const parsed = JSON.parse(readFileSync(join(root, path), 'utf8')) as Record<string, unknown>;
  const sections = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];
  const declared = sections.flatMap((section) => Object.keys((parsed[section] as object | undefined) ?? {}));
  return { path, name: parsed['name'] as string | undefined, declared: new Set(declared) };
}
