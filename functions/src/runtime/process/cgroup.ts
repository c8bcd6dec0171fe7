import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Limits } from '@millrace/resources/container';

/** The period over which the kernel measures processor time, in microseconds; its own default. */
const CPU_PERIOD_US = 100_000;
const MIN_CPU_QUOTA_US = 1_000;
const REMOVE_ATTEMPTS = 20;
const REMOVE_PAUSE_MS = 10;

/** A part of the system's cgroup tree (version 2) in which we may make groups. */
export interface CgroupTree {
  /** What can be limited in it. */
  readonly controllers: ReadonlySet<string>;
  /** Makes a group with these limits and moves the process into it. Throws what the file system says. */
  enter(name: string, pid: number, limits: Limits): Cgroup;
}

/** The group of one instance: whatever it starts is in it, too. */
export interface Cgroup {
  /** Whether the kernel has ended a process of it because there was no memory left within its limit. */
  ranOutOfMemory(): boolean;
  /** Ends every process in it (Linux 5.14 and later). */
  kill(): void;
  /** Resolves when it is removed, or cannot be because something still runs in it. */
  leave(): Promise<void>;
}

/**
 * Finds where this process may make groups: below its own group, or beside it (where systemd gives a user a slice).
 * The kernel allows no limits below a group that has processes itself. Undefined where there is no such place.
 *
 * `root` is where the unified hierarchy is mounted, `self` the file that says which group we are in, `remove` removes
 * a group's folder (rmdir, although the kernel shows files in it).
 */
export function openCgroups({
  root = '/sys/fs/cgroup',
  self = '/proc/self/cgroup',
  pid = process.pid,
  remove = rmdirSync,
} = {}): CgroupTree | undefined {
  const own = /^0::(\/.*)$/m.exec(readOr(self))?.[1];
  if (own === undefined || readOr(join(root, 'cgroup.controllers')) === '') return undefined;
  for (const parent of new Set([join(root, own), dirname(join(root, own))])) {
    if (!parent.startsWith(root)) continue;
    const base = join(parent, `millrace-${pid}`);
    const controllers = delegate(parent);
    if (controllers.size === 0) continue;
    try {
      mkdirSync(base, { recursive: true });
      remove(base);
    } catch {
      continue;
    }
    return treeIn(base, controllers, remove);
  }
  return undefined;
}

/** Lets groups below this one have limits of their own; of memory and processors those that it may give. */
function delegate(folder: string): Set<string> {
  const file = join(folder, 'cgroup.subtree_control');
  for (const controller of ['memory', 'cpu']) {
    try {
      writeFileSync(file, `+${controller}`, { flag: 'a' });
    } catch {
      // Not ours, or it has processes itself; it may be on already.
    }
  }
  const given = readOr(file).match(/\w+/g) ?? [];
  return new Set(given.filter((name) => name === 'memory' || name === 'cpu'));
}

function treeIn(base: string, controllers: ReadonlySet<string>, remove: (folder: string) => void): CgroupTree {
  return {
    controllers,
    enter(name, pid, limits) {
      mkdirSync(base, { recursive: true });
      delegate(base);
      const folder = join(base, name);
      mkdirSync(folder);
      for (const [file, text] of settingsOf(limits)) trySetting(join(folder, file), text);
      writeFileSync(join(folder, 'cgroup.procs'), String(pid));
      return {
        ranOutOfMemory: () => /^oom_kill [1-9]/m.test(readOr(join(folder, 'memory.events'))),
        kill: () => trySetting(join(folder, 'cgroup.kill'), '1'),
        async leave() {
          if (await removed(folder, remove)) await removed(base, remove, 1);
        },
      };
    },
  };
}

function* settingsOf({ memoryBytes, cpus }: Limits): Generator<[file: string, text: string]> {
  if (memoryBytes !== undefined) {
    yield ['memory.max', String(memoryBytes)];
    yield ['memory.swap.max', '0'];
    // All of the instance or nothing: one that lost a part of itself is of no use.
    yield ['memory.oom.group', '1'];
  }
  if (cpus !== undefined) {
    yield ['cpu.max', `${Math.max(MIN_CPU_QUOTA_US, Math.round(cpus * CPU_PERIOD_US))} ${CPU_PERIOD_US}`];
  }
}

/** Not every kernel has every file. */
function trySetting(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch {
    // The others hold.
  }
}

/** A process that has just ended may be counted for a moment more. */
async function removed(folder: string, remove: (folder: string) => void, attempts = REMOVE_ATTEMPTS): Promise<boolean> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    try {
      remove(folder);
      return true;
    } catch {
      if (attempt < attempts) await sleep(REMOVE_PAUSE_MS);
    }
  }
  return false;
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
