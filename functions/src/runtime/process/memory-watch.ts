import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

import type { Clock } from '../../clock.ts';
import { exitOf } from './process-group.ts';

/** Nothing fills memory faster than this for long: what is far from its limit need not be looked at often. */
const BYTES_PER_MS = 4 * 2 ** 20;
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;
/** Stacks of threads count as data from when they are made, used or not. */
const STACK_BYTES = 2 ** 30;

/**
 * Calls `exceeded` once when a process with all that descends from it uses more than so many bytes of memory of its
 * own; pages of files are not counted, they are shared. The returned function ends the watch.
 */
export function watchMemory(
  pid: number,
  limit: number,
  clock: Pick<Clock, 'after'>,
  exceeded: () => void,
  usedBy: (pid: number) => number = memoryOfTree,
): () => void {
  let cancel = (): void => {};
  const look = (): void => {
    const free = limit - usedBy(pid);
    if (free < 0) return exceeded();
    cancel = clock.after(Math.min(Math.max(free / BYTES_PER_MS, MIN_PAUSE_MS), MAX_PAUSE_MS), look);
  };
  cancel = clock.after(MIN_PAUSE_MS, look);
  return () => cancel();
}

/**
 * Sets the bound of the system for the data of one process and of those that it will begin (RLIMIT_DATA): far enough
 * above the limit that only what runs away between two looks of {@link watchMemory} meets it, and meets it as a failed
 * allocation. Resolves when that is done; without effect where util-linux is missing.
 */
export async function boundData(pid: number, limit: number): Promise<void> {
  const { used, reserved } = memoryOf(pid);
  if (reserved === 0) return;
  // What is reserved and not used, such as the address space of V8's heap, must not count.
  const bound = Math.max(0, reserved - used) + limit + STACK_BYTES;
  const prlimit = spawn('prlimit', ['--pid', String(pid), `--data=${bound}`], {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'] },
  });
  await exitOf(prlimit);
}

/** The bytes that a process and its descendants have for themselves; 0 where there is no /proc. */
export function memoryOfTree(pid: number): number {
  let sum = memoryOf(pid).used;
  for (const child of childrenOf(pid)) sum += memoryOfTree(child);
  return sum;
}

function memoryOf(pid: number): { used: number; reserved: number } {
  const status = readOr(`/proc/${pid}/status`, '');
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { used: bytes('RssAnon') + bytes('RssShmem'), reserved: bytes('VmData') };
}

/** Every thread has its own. */
function childrenOf(pid: number): number[] {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  return threads.flatMap((thread) => {
    const children = readOr(`/proc/${pid}/task/${thread}/children`, '');
    return children.split(' ').filter(Boolean).map(Number);
  });
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // It is gone meanwhile.
    return otherwise;
  }
}
