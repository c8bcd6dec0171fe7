import type { DatabaseSync } from 'node:sqlite';

import { makeKey, readKey } from './key-file.ts';
import { sealWith } from './seal.ts';
import type { Seal } from './seal.ts';

const PLACE = 'key';
const TEXT = 'the key of this file';

/**
 * The seal of a database, by the key in a file, which is made with the first database. Throws, with what to do, when
 * that key is missing, readable for others, or another one than the database was sealed with.
 */
export function openSeal(database: DatabaseSync, keyFile: string): Seal {
  const check = database.prepare('SELECT key_check FROM state').get()?.['key_check'] as Uint8Array | null;
  const found = readKey(keyFile);
  if (check === null) {
    const seal = sealWith(found ?? makeKey(keyFile));
    database.prepare('UPDATE state SET key_check = ?').run(seal.seal(PLACE, TEXT));
    return seal;
  }
  if (found === undefined) {
    throw new Error(`${keyFile} is missing, and no Secret can be read without it: put it back from a backup`);
  }
  const seal = sealWith(found);
  if (!opens(seal, check)) {
    throw new Error(`${keyFile} is not the key that the Secrets were sealed with: put the right one back`);
  }
  return seal;
}

function opens(seal: Seal, check: Uint8Array): boolean {
  try {
    return seal.open(PLACE, check) === TEXT;
  } catch {
    return false;
  }
}
