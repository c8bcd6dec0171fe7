import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** The length of a key of AES-256, in bytes. */
export const KEY_BYTES = 32;

const OTHERS = 0o077;

/** Reads a key, or undefined when there is no such file. Throws as {@link readPrivate} does, and when it is no key. */
export function readKey(file: string): Buffer | undefined {
  const key = readPrivate(file);
  if (key === undefined || key.length === KEY_BYTES) return key;
  throw new Error(`${file} must have ${KEY_BYTES} bytes, and has ${key.length}: put the key back that was there`);
}

/** Makes a key that only its owner may read. It is on disk when this returns. */
export function makeKey(file: string): Buffer {
  const key = randomBytes(KEY_BYTES);
  writePrivate(file, key);
  return key;
}

/**
 * Reads a file that nobody else may read, or undefined when there is none. Throws, with what to do, when others than its
 * owner may.
 */
export function readPrivate(file: string): Buffer | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  // Windows has no such modes.
  if (process.platform !== 'win32' && (stats.mode & OTHERS) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    throw new Error(`${file} must have mode 0600, and has ${mode}: chmod 600 ${file}`);
  }
  return readFileSync(file);
}

/** Writes a file that only its owner may read. It is on disk, whole, when this returns. */
export function writePrivate(file: string, content: Uint8Array): void {
  const unfinished = `${file}.new`;
  rmSync(unfinished, { force: true });
  const descriptor = openSync(unfinished, 'wx', 0o600);
  try {
    writeSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(unfinished, file);
  syncFolder(dirname(file));
}

/** Makes new names in a folder last. */
export function syncFolder(folder: string): void {
  // Windows opens no folders; its file system keeps names by itself.
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
