import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

/** Nobody holds a lock for longer than an installation may take. */
const ABANDONED_MS = 15 * 60_000;
/** Two readings of when a process began may differ by this. */
const SAME_START_MS = 2_000;

/** Takes a lock, a file; takes it over from a process that is gone. False while somebody else has it. */
export function takeLock(file: string): boolean {
  const own = `${file}.${process.pid}`;
  // It is there with what it says, or not at all.
  writeFileSync(own, `${process.pid} ${startedAt()}`);
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // Should two remove it at the same time, both install, and what is there in the end is whole all the same.
    if (!isHeld(file)) rmSync(file, { force: true });
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

export function releaseLock(file: string): void {
  rmSync(file, { force: true });
}

function startedAt(): number {
  return Math.round(Date.now() - process.uptime() * 1_000);
}

function isHeld(file: string): boolean {
  try {
    const [pid, started] = readFileSync(file, 'utf8').split(' ').map(Number) as [number, number];
    if (Date.now() - statSync(file).mtimeMs > ABANDONED_MS) return false;
    // In a container every start has the same number.
    if (pid === process.pid) return Math.abs(started - startedAt()) < SAME_START_MS;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
