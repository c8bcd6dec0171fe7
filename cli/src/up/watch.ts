import { readdirSync, statSync, watch as watchFolder } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** How long nothing must have happened: an editor writes in several steps. */
const QUIET_MS = 100;
/** How long somebody who writes all the time is waited for. */
const PATIENCE_MS = 1_000;
/** The system gives out so many, and not only to us. */
const MOST_FOLDERS = 1_000;
/** Folders of packages and of compiled leftovers; names that begin with a dot are of no interest, too. */
const LEFT_OUT = new Set(['node_modules', '__pycache__']);

/** What is looked at. */
export interface WatchOptions {
  /** Files, and folders with all that is in them, as they are to be looked at now. They need not be there. */
  readonly paths: () => readonly string[];
  /** Folders in them that are not looked at. */
  readonly except: readonly string[];
  /** Something may have changed. Not called again before it has resolved. */
  readonly changed: () => Promise<void>;
  /** Hears what cannot be watched. */
  readonly warn: (text: string) => void;
}

/**
 * Watches folders rather than files: so it sees files that come, go, and are put in the place of others, as editors do
 * it. What has changed it does not say: who is told looks by himself. The returned function ends it and resolves when a
 * change that is being followed has been.
 */
export function watch(options: WatchOptions): () => Promise<void> {
  const watchers = new Map<string, { readonly watcher: FSWatcher; readonly inode: bigint | undefined }>();
  let wanted: Wanted = new Map();
  let quiet: NodeJS.Timeout | undefined;
  let patience: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isPending = false;
  let isOver = false;
  let hasWarned = false;

  const heard = (folder: string, name: string | null): void => {
    const names = wanted.get(folder);
    if (isOver || (name !== null && (names === 'all' ? isLeftOut(name) : names?.has(name) === false))) return;
    clearTimeout(quiet);
    quiet = setTimeout(fire, QUIET_MS);
    patience ??= setTimeout(fire, PATIENCE_MS);
  };
  const fire = (): void => {
    clearTimeout(quiet);
    clearTimeout(patience);
    patience = undefined;
    if (running === undefined) running = follow();
    else isPending = true;
  };
  const follow = async (): Promise<void> => {
    // First the folders: what changes while it is looked at is told again.
    refresh();
    await options.changed();
    if (!isOver) refresh();
    running = undefined;
    if (isPending && !isOver) {
      isPending = false;
      fire();
    }
  };
  const refresh = (): void => {
    wanted = wantedBy(options);
    if (wanted.size >= MOST_FOLDERS && !hasWarned) {
      hasWarned = true;
      options.warn(`only ${MOST_FOLDERS} folders are watched for changes; changes in others show after a restart`);
    }
    for (const [folder, { inode }] of watchers) {
      // Another folder of the same name tells its watcher nothing.
      if (!wanted.has(folder) || inode !== inodeOf(folder)) forget(folder);
    }
    for (const folder of wanted.keys()) if (!watchers.has(folder)) add(folder);
  };
  const forget = (folder: string): void => {
    watchers.get(folder)?.watcher.close();
    watchers.delete(folder);
  };
  const add = (folder: string): void => {
    try {
      const watcher = watchFolder(folder, { persistent: false }, (_event, name) => heard(folder, name));
      watcher.on('error', () => {
        forget(folder);
        heard(folder, null);
      });
      watchers.set(folder, { watcher, inode: inodeOf(folder) });
    } catch (error) {
      if (!hasWarned) options.warn(`${folder} cannot be watched for changes: ${(error as Error).message}`);
      hasWarned = true;
    }
  };

  refresh();
  return async () => {
    isOver = true;
    clearTimeout(quiet);
    clearTimeout(patience);
    for (const folder of watchers.keys()) forget(folder);
    await running;
  };
}

/** The folders to watch, and of which names in them something is wanted. */
type Wanted = Map<string, Set<string> | 'all'>;

/** Every folder in the paths with all that is in it; and of each path, whether it comes, goes or is another one. */
function wantedBy({ paths, except }: WatchOptions): Wanted {
  const wanted: Wanted = new Map();
  const addWhole = (folder: string): void => {
    if (wanted.get(folder) === 'all' || except.includes(folder) || wanted.size >= MOST_FOLDERS) return;
    wanted.set(folder, 'all');
    for (const name of foldersIn(folder)) if (!isLeftOut(name)) addWhole(join(folder, name));
  };
  for (const path of paths()) {
    if (isFolder(path)) addWhole(path);
    const shown = nearest(path);
    const names = wanted.get(dirname(shown)) ?? new Set();
    if (names !== 'all') wanted.set(dirname(shown), names.add(basename(shown)));
  }
  return wanted;
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((it) => (it.isDirectory() ? [it.name] : []));
  } catch {
    // It is gone by now, or not ours to see.
    return [];
  }
}

/** The path, or the first part of it that is not there. */
function nearest(path: string): string {
  const above = dirname(path);
  return above === path || isFolder(above) ? path : nearest(above);
}

function inodeOf(folder: string): bigint | undefined {
  try {
    return statSync(folder, { bigint: true, throwIfNoEntry: false })?.ino;
  } catch {
    return undefined;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false;
  }
}

function isLeftOut(name: string): boolean {
  return name.startsWith('.') || LEFT_OUT.has(name);
}
