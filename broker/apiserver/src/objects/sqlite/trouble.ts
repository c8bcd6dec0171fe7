import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { StoreDamaged } from '../errors.ts';
import { BUSY, CORRUPT, ERROR, NOT_A_DATABASE, resultCode } from './result-code.ts';

/** What was read is not what was written. */
export class Unsound extends Error {}

// A changed byte in the definition of a table is an error like that in a wrong statement.
const DAMAGE = new Set<number | undefined>([ERROR, CORRUPT, NOT_A_DATABASE]);

/** What to tell of an error that came up as a file was opened: the same error, or one that says what to do. */
export function explained(error: unknown, file: string, copy: string): Error {
  const { message } = error as Error;
  const code = resultCode(error);
  if (error instanceof Unsound || DAMAGE.has(code)) {
    return new StoreDamaged(`${file} is damaged (${message}); ${wayOut(file, copy)}`);
  }
  if (code === BUSY) return new Error(`${file} is in use by another process: stop that one, or use another folder`);
  if (code !== undefined) return new Error(`${file} cannot be used: ${message}`);
  return error as Error;
}

function wayOut(file: string, copy: string): string {
  const away = quoted(join(dirname(file), 'damaged'));
  const putAway = `mkdir -p ${away} && mv ${quoted(file)}* ${away}/`;
  if (!existsSync(copy)) {
    return `there is no copy of it: put it away (${putAway}), start again and apply your manifests`;
  }
  const { mtime } = statSync(copy);
  return `the last good copy is of ${mtime.toISOString()}: put it in place (${putAway} && mv ${quoted(copy)} ${quoted(file)}), start again and apply what has changed since`;
}

/** For a shell. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
