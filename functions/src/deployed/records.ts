import {
  closeSync,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { readRecord } from './record.ts';
import type { RevisionRecord } from './record.ts';
import { hashOf } from './snapshot.ts';
import type { Copy } from './snapshot.ts';

/** What is known of a function beside its revisions. */
export interface FunctionState {
  /** The revision that became ready last. */
  readonly latest?: string | undefined;
  /** The one after that, which never became ready. */
  readonly unproven?: string | undefined;
  /** The highest number that a revision has had. */
  readonly number?: number | undefined;
  /** The revision that a rollback has given all calls. */
  readonly pinned?: string | undefined;
  /** Bounds that were set in the place of those that are declared. */
  readonly minScale?: number | undefined;
  readonly maxScale?: number | undefined;
}

/** The revisions of one function, and how it is with them, as they are kept. */
export interface Records {
  /** By name, the oldest first. */
  readonly revisions: ReadonlyMap<string, RevisionRecord>;
  readonly state: FunctionState;
  /** Keeps a revision, and a copy of its code where there is a folder for it. Throws when nothing can be written. */
  add(record: RevisionRecord, copy: Copy | undefined): RevisionRecord;
  remove(name: string): void;
  /** Forgets what is not among the last `most` and not of these names. */
  keep(most: number, names: ReadonlySet<string>): void;
  /** Throws when nothing can be written; it holds all the same, until the end of this process. */
  setState(changes: FunctionState): void;
  /** Where the copy of its code is; undefined when there is none. */
  copyFolder(record: RevisionRecord): string | undefined;
  /** Whether its copy is what it was. True without a copy. */
  isIntact(record: RevisionRecord): boolean;
}

/**
 * Opens the revisions in a folder, `revisions/<name>/{revision.json,code/}` and `state.json`; in memory without one.
 * What is there and cannot be read is told, and left alone.
 */
export function openRecords(folder: string | undefined, tell: (text: string) => void): Records {
  const parent = folder === undefined ? undefined : join(folder, 'revisions');
  const stateFile = folder === undefined ? undefined : join(folder, 'state.json');
  const revisions = new Map<string, RevisionRecord>();
  if (parent !== undefined) for (const record of readAll(parent, tell)) revisions.set(record.name, record);
  let state = stateFile === undefined ? {} : readState(stateFile, tell);
  const copyFolder = ({ name, copy }: RevisionRecord) =>
    parent === undefined || copy === null ? undefined : join(parent, name, 'code');
  const forget = (name: string): void => {
    revisions.delete(name);
    if (parent !== undefined) remove(join(parent, name), tell);
  };

  return {
    revisions,
    get state() {
      return state;
    },
    add(record, copy) {
      const kept = parent === undefined ? { ...record, copy: null } : record;
      if (parent !== undefined) write(join(parent, record.name), record, copy);
      revisions.set(record.name, kept);
      return kept;
    },
    remove: forget,
    keep(most, names) {
      const old = [...revisions.keys()].slice(0, Math.max(0, revisions.size - most));
      for (const name of old.filter((it) => !names.has(it))) forget(name);
    },
    setState(changes) {
      const before = JSON.stringify(state);
      state = { ...state, ...changes };
      const after = JSON.stringify(state);
      if (stateFile !== undefined && after !== before) writeDurably(stateFile, after);
    },
    copyFolder,
    isIntact(record) {
      const at = copyFolder(record);
      if (at === undefined) return true;
      try {
        const files = record.copy!.files.map((path) => ({ path, from: join(at, path) }));
        return hashOf(record.code, files) === record.codeHash;
      } catch {
        return false;
      }
    },
  };
}

function readAll(parent: string, tell: (text: string) => void): RevisionRecord[] {
  const records: RevisionRecord[] = [];
  for (const name of namesIn(parent)) {
    const file = join(parent, name, 'revision.json');
    // A name with a dot is a revision that was never finished.
    if (name.startsWith('.')) remove(join(parent, name), tell);
    else {
      const record = readOne(file, name);
      if (typeof record === 'string') tell(`${file} is ignored: ${record}`);
      else records.push(record);
    }
  }
  return records.toSorted((one, other) => one.number - other.number);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // None yet.
    return [];
  }
}

function readOne(file: string, name: string): RevisionRecord | string {
  try {
    return readRecord(readFileSync(file, 'utf8'), name);
  } catch (error) {
    return (error as Error).message;
  }
}

const STATE: Record<keyof FunctionState, 'string' | 'number'> = {
  latest: 'string',
  unproven: 'string',
  number: 'number',
  pinned: 'string',
  minScale: 'number',
  maxScale: 'number',
};

function readState(file: string, tell: (text: string) => void): FunctionState {
  try {
    const state = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(STATE).flatMap(([field, type]) => (typeof state[field] === type ? [[field, state[field]]] : [])),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') tell(`${file} is ignored: ${(error as Error).message}`);
    return {};
  }
}

/** Whole or not at all: it is made beside its place and put there at once. */
function write(folder: string, record: RevisionRecord, copy: Copy | undefined): void {
  const draft = join(dirname(folder), `.${record.name}-${process.pid}`);
  rmSync(draft, { recursive: true, force: true });
  try {
    mkdirSync(draft, { recursive: true });
    for (const { path, from } of copy?.files ?? []) {
      const to = join(draft, 'code', path);
      mkdirSync(dirname(to), { recursive: true });
      copyFileSync(from, to);
    }
    if (copy !== undefined) mkdirSync(join(draft, 'code'), { recursive: true });
    writeDurably(join(draft, 'revision.json'), JSON.stringify(record, undefined, 2));
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
}

function writeDurably(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  const to = openSync(draft, 'w', 0o600);
  try {
    writeFileSync(to, text);
    fsyncSync(to);
  } finally {
    closeSync(to);
  }
  renameSync(draft, file);
  syncFolder(dirname(file));
}

/** A name that was changed is safe once its folder is. */
function syncFolder(folder: string): void {
  const to = openSync(folder, 'r');
  try {
    fsyncSync(to);
  } finally {
    closeSync(to);
  }
}

function remove(folder: string, tell: (text: string) => void): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    tell(`${folder} cannot be removed: ${(error as Error).message}`);
  }
}
