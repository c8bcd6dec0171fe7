import type { Limits } from '@millrace/resources/container';
import { formatBytes } from '@millrace/resources/quantity';

import { systemClock } from '../../clock.ts';
import type { Clock } from '../../clock.ts';
import { openCgroups } from './cgroup.ts';
import type { Cgroup, CgroupTree } from './cgroup.ts';
import { boundData, watchMemory } from './memory-watch.ts';

/** Holds instances to their limits. */
export interface Limiter {
  /**
   * Puts a process, with all that it will start, under limits; `end` is called when it must be ended because of them.
   * Takes no time worth counting. Never throws: what cannot be kept is in the notes.
   */
  hold(name: string, pid: number, limits: Limits, end: () => void): Hold;
}

/** One process under limits. */
export interface Hold {
  /** What cannot be kept here, or not strictly, for people. */
  readonly notes: readonly string[];
  /** Why it was ended: `used more than its memory limit 512Mi`; undefined when it was not for a limit. */
  exceeded(): string | undefined;
  /** Ends all that it has started, also what has left its process group; without a cgroup it cannot do that. */
  kill(): void;
  /** To be called when the process has ended. */
  release(): Promise<void>;
}

/** To begin another process takes us milliseconds: an instance that is to be ready soon must not wait for that. */
const BOUND_AFTER_MS = 100;
const NOT_WRITABLE = 'cgroup v2 is not writable here';

/**
 * Limits by cgroup v2 where we may make groups. Elsewhere memory is watched, and no share of a processor is kept.
 * Nothing is looked at before the first limit is declared.
 */
export function makeLimiter({
  open = openCgroups,
  clock = systemClock,
}: { open?: () => CgroupTree | undefined; clock?: Pick<Clock, 'after'> } = {}): Limiter {
  let found: { readonly tree: CgroupTree | undefined } | undefined;
  return {
    hold(name, pid, limits, end) {
      if (limits.memoryBytes === undefined && limits.cpus === undefined) return NOTHING_HELD;
      found ??= { tree: open() };
      const { tree } = found;
      const group = tree && tryToEnter(tree, name, pid, limits);
      const hasLimit = (controller: string): boolean => group !== undefined && tree!.controllers.has(controller);
      const notes: string[] = [];
      const { memoryBytes, cpus } = limits;
      if (cpus !== undefined && !hasLimit('cpu'))
        notes.push(`the cpu limit ${cpuText(cpus)} is not kept: ${NOT_WRITABLE}`);
      if (memoryBytes === undefined || hasLimit('memory')) return heldByGroup(group, memoryBytes, notes);
      notes.push(`the memory limit ${formatBytes(memoryBytes)} is watched, not held by the system: ${NOT_WRITABLE}`);
      return heldByWatch({ group, pid, memoryBytes, notes, clock, end });
    },
  };
}

const NOTHING_HELD: Hold = { notes: [], exceeded: () => undefined, kill() {}, async release() {} };

function tryToEnter(tree: CgroupTree, name: string, pid: number, limits: Limits): Cgroup | undefined {
  try {
    return tree.enter(name, pid, limits);
  } catch {
    return undefined;
  }
}

function heldByGroup(group: Cgroup | undefined, memoryBytes: number | undefined, notes: readonly string[]): Hold {
  let isExceeded = false;
  return {
    notes,
    exceeded: () => {
      isExceeded ||= group?.ranOutOfMemory() ?? false;
      return isExceeded && memoryBytes !== undefined ? tooMuch(memoryBytes) : undefined;
    },
    kill: () => group?.kill(),
    release: async () => group?.leave(),
  };
}

function heldByWatch(options: {
  group: Cgroup | undefined;
  pid: number;
  memoryBytes: number;
  notes: readonly string[];
  clock: Pick<Clock, 'after'>;
  end: () => void;
}): Hold {
  const { group, pid, memoryBytes, notes, clock, end } = options;
  let isExceeded = false;
  const stop = watchMemory(pid, memoryBytes, clock, () => {
    isExceeded = true;
    end();
  });
  const cancelBound = clock.after(BOUND_AFTER_MS, () => void boundData(pid, memoryBytes));
  return {
    notes,
    exceeded: () => (isExceeded ? tooMuch(memoryBytes) : undefined),
    kill: () => group?.kill(),
    async release() {
      stop();
      cancelBound();
      await group?.leave();
    },
  };
}

function tooMuch(memoryBytes: number): string {
  return `used more than its memory limit ${formatBytes(memoryBytes)}`;
}

/** As people write it: 0.5 → `500m`. */
function cpuText(cpus: number): string {
  return Number.isInteger(cpus) ? String(cpus) : `${Math.round(cpus * 1000)}m`;
}
