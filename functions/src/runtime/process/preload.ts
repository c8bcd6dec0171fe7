import { readFileSync } from 'node:fs';

import type { Order } from './launcher.ts';

/** What a worker loads ahead of its order: the packages that an author's file imports, never the file itself. */
export interface Preload {
  /** Where the imports are resolved from, as in an order. */
  readonly file: string;
  readonly origin: string | undefined;
  readonly packages: string | undefined;
  readonly imported: readonly string[];
  readonly required: readonly string[];
  /** Whether it will have to read TypeScript. */
  readonly typescript: boolean;
}

/** A preload that went well. */
export interface Preloaded {
  /** The variables that were looked at meanwhile; `*` when all were. */
  readonly looks: readonly string[];
}

const IMPORT = /^[ \t]*(?:import|export)\b(?!\s+type\b)(?:[^'"();]*?\bfrom)?\s*(['"])([^'"\n]+)\1/gm;
const REQUIRE = /\brequire\(\s*(['"])([^'"\n]+)\1\s*\)/g;
const MAX_FILE_CHARACTERS = 1024 * 1024;

/**
 * What is worth loading ahead for the next instance of this order; undefined when nothing is, or when
 * `MILLRACE_PRELOAD=off` is declared for the function.
 */
export function preloadOf({ workload: { code, environment } }: Order): Preload | undefined {
  if (code.language !== 'node' || environment['MILLRACE_PRELOAD'] === 'off') return undefined;
  const { file, origin, packages } = code;
  const text = textOf(file);
  const imported = packagesIn(text, IMPORT);
  const required = packagesIn(text, REQUIRE);
  const typescript = /\.[cm]?ts$/.test(file);
  if (imported.length + required.length === 0 && !typescript) return undefined;
  return { file, origin, packages, imported, required, typescript };
}

/** Two preloads with the same key load the same. A copy has the key of its original. */
export function keyOf({ file, origin, packages, imported, required, typescript }: Preload): string {
  return JSON.stringify([origin ?? file, packages, imported, required, typescript]);
}

/**
 * Whether what was loaded under one environment is what would be loaded under the other: packages may read their
 * environment as they load.
 */
export function looksTheSame(
  { looks }: Preloaded,
  then: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): boolean {
  return looks.every((name) => name !== '*' && then[name] === now[name]);
}

/** The names that lead into a `node_modules`, in order. A mention that is no import does no harm. */
function packagesIn(text: string, pattern: RegExp): string[] {
  const names = Array.from(text.matchAll(pattern), (match) => match[2]!);
  return [...new Set(names.filter((name) => /^(?!node:)[@a-z]/i.test(name)))].toSorted();
}

/** A file that cannot be read is the business of the instance. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(0, MAX_FILE_CHARACTERS);
  } catch {
    return '';
  }
}
