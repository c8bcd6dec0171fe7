import { existsSync, mkdtempSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** How to come by one real component (a Kafka, an API server) that tests run against. */
export interface Recipe<Component> {
  /** As people call it, with its version: `Apache Kafka 4.4.0`. */
  readonly name: string;
  /** One that the environment names, or undefined. */
  readonly given?: () => Component | undefined;
  /** Why this machine cannot run or fetch it (`no java on the PATH`), or undefined when it can. */
  readonly obstacle?: () => string | undefined;
  /** The one that an earlier run fetched, or undefined. */
  readonly cached: () => Component | undefined;
  /** Gets it from a package registry into the cache; takes seconds to minutes. */
  readonly fetch: () => Promise<Component>;
}

/** The component, or why the tests that need it are skipped. */
export type Provided<Component> = { readonly component: Component } | { readonly skip: string };

/**
 * Climbs the ladder: given by environment, cached, fetched (only with `CI=true` or `MILLRACE_FETCH=1`, so that a
 * newcomer's `npm test` starts no download unasked), and else a reason to skip that names the command.
 * With `CI=true` nothing is skipped: it throws instead.
 */
export async function provide<Component>(recipe: Recipe<Component>): Promise<Provided<Component>> {
  const given = recipe.given?.();
  if (given !== undefined) return { component: given };
  const obstacle = recipe.obstacle?.();
  if (obstacle !== undefined) return missing(`${recipe.name} cannot run here: ${obstacle}`);
  const cached = recipe.cached();
  if (cached !== undefined) return { component: cached };
  const mayFetch = process.env['CI'] === 'true' || process.env['MILLRACE_FETCH'] === '1';
  if (!mayFetch) return missing(`${recipe.name} is not fetched yet: run MILLRACE_FETCH=1 npm test`);
  process.stderr.write(`fetching ${recipe.name}, once ...\n`);
  return { component: await recipe.fetch() };
}

/** The folder of a cached thing: `${XDG_CACHE_HOME:-~/.cache}/millrace/<name>`. */
export function cacheFolder(name: string): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'millrace', name);
}

/**
 * Fills a folder so that it is whole or not there, also when two processes want it at once: `fill` works in a folder
 * beside it that is renamed at the end. Whoever comes second keeps what the first has made.
 */
export async function fillFolder(folder: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const temporary = mkdtempSync(join(dirname(folder), `.${basename(folder)}-`));
  try {
    await fill(temporary);
    renameSync(temporary, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function missing(reason: string): { skip: string } {
  if (process.env['CI'] === 'true') throw new Error(`${reason} (with CI=true a missing component is a failure)`);
  return { skip: reason };
}
