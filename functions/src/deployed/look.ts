import { createHash } from 'node:crypto';
import { dirname } from 'node:path';

import { findCode } from '../find-code.ts';
import type { FoundCode, Wanted } from '../find-code.ts';
import type { Code } from '../workload.ts';
import { snapshotOf } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

/** Why something is not as it is declared. */
export interface Problem {
  /** One CamelCase word. */
  readonly reason: string;
  readonly message: string;
}

/** What was seen where the code of a function is, or should be. */
export type Seen = ({ readonly snapshot: Snapshot } | { readonly problem: Problem }) & {
  /** The folders in which something would have to change for it to be otherwise. */
  readonly folders: readonly string[];
};

/** Looks for code, and at it, now. Never throws. `except` are folders that are no part of any code. */
export function look(wanted: Code | Wanted, except: readonly string[]): Seen {
  if ('language' in wanted && wanted.language === 'image') return { snapshot: imageSnapshot(wanted), folders: [] };
  const found = 'language' in wanted ? alone(wanted) : findCode(wanted);
  if ('lookedAt' in found) {
    // A runtime for container images would take the image here.
    const message = `found no code for it; looked at ${found.lookedAt.join(', ')}`;
    return { problem: { reason: 'CodeNotFound', message }, folders: unique(found.lookedAt.map((it) => dirname(it))) };
  }
  const { code, folder } = found;
  const own = folder ?? (code.language === 'program' ? code.folder : dirname(code.file));
  try {
    const snapshot = snapshotOf(found, except);
    const files = snapshot.copy?.files ?? [];
    return { snapshot, folders: unique([own, ...files.map((it) => dirname(it.from))]) };
  } catch (error) {
    const message = `its code cannot be read: ${(error as Error).message}`;
    return { problem: { reason: 'CodeNotFound', message }, folders: [own] };
  }
}

function alone(code: Exclude<Code, { language: 'image' }>): FoundCode {
  return { code, root: code.language === 'program' ? code.folder : dirname(code.file) };
}

function imageSnapshot(code: Code): Snapshot {
  const hash = createHash('sha256').update(JSON.stringify(code)).digest('hex');
  return { code, hash, copy: undefined, requirements: undefined, note: '' };
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
