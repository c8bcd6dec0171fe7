import { statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

import { openForWriting } from './schema.ts';

/**
 * The thread that copies what is committed from the database's log (the WAL) into the database, beside the writer.
 * Tells its parent of a failed sync; everything else it tries again at the next look.
 */

const { file } = workerData as { file: string };
const LOOK_EVERY_MS = 500;
const WORTH_COPYING = 4 * 1024 * 1024;
const IO_ERROR = 10;

const database = openForWriting(file);
let copiedUpTo = 0;

const timer = setInterval(() => {
  const wal = statSync(`${file}-wal`, { throwIfNoEntry: false });
  if (wal === undefined || wal.size < WORTH_COPYING || wal.mtimeMs === copiedUpTo) return;
  try {
    database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    copiedUpTo = wal.mtimeMs;
  } catch (error) {
    const { errcode, message } = error as Error & { errcode?: number };
    // Extended codes carry the kind in their low byte.
    if (errcode === undefined || (errcode & 0xff) !== IO_ERROR) return;
    clearInterval(timer);
    parentPort!.postMessage({ broken: message });
  }
}, LOOK_EVERY_MS);

parentPort!.once('message', () => {
  clearInterval(timer);
  database.close();
  parentPort!.close();
});
