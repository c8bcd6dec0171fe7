import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Hears the process groups that live, a line for every change, the whole list each time. When we die, however
// suddenly, the pipe closes: then it ends what is on the list, what has left its group and is known by the folder (see
// stragglers.ts), and removes the folder. It stands outside of the authors' processes, because a function in an endless
// loop could not watch over itself.
const GUARD = `
groups=
while read -r line; do groups=$line; done
[ -n "$groups" ] || exit 0
for group in $groups; do kill -s KILL -- "-$group"; done
folder=$1
for process in /proc/[0-9]*; do
  case $(readlink "$process/cwd") in
    "$folder"/*) ;;
    *) grep -qzs "^HOME=$folder/" "$process/environ" || continue ;;
  esac
  read -r stat < "$process/stat" && set -- \${stat##*) } && [ "$5" = 0 ] && kill -s KILL "\${process#/proc/}"
done
rm -rf -- "$folder"`;

/** What the processes of one runtime share while there are any: a private folder, and a guard against orphans. */
export interface Nest {
  /** Makes a folder, readable by this user only. */
  enter(name: string): string;
  /** Resolves when the folder is gone. */
  leave(folder: string): Promise<void>;
  /** From now on this process group ends when we do. */
  watch(group: number): void;
  /** The group is gone: its number may be given to somebody else. */
  unwatch(group: number): Promise<void>;
}

/** Makes a nest. It holds no process and no folder while nothing is in it. */
export function makeNest(): Nest {
  let current: Brood | undefined;
  const folders = new Map<string, Brood>();
  const groups = new Map<number, Brood>();

  async function lessen(brood: Brood): Promise<void> {
    brood.members -= 1;
    if (brood.members > 0) return;
    if (brood === current) current = undefined;
    await Promise.all([remove(brood.folder), endGuard(brood.guard)]);
  }
  return {
    enter(name) {
      current ??= beginBrood();
      const folder = join(current.folder, name);
      mkdirSync(folder, { mode: 0o700 });
      current.members += 1;
      folders.set(folder, current);
      return folder;
    },
    async leave(folder) {
      const brood = folders.get(folder);
      if (brood === undefined) return;
      folders.delete(folder);
      await remove(folder);
      await lessen(brood);
    },
    watch(group) {
      current ??= beginBrood();
      current.members += 1;
      current.groups.add(group);
      groups.set(group, current);
      tellGuard(current);
    },
    async unwatch(group) {
      const brood = groups.get(group);
      if (brood === undefined) return;
      groups.delete(group);
      brood.groups.delete(group);
      tellGuard(brood);
      await lessen(brood);
    },
  };
}

/** One life of the nest: from when something enters it until nothing is left. */
interface Brood {
  readonly folder: string;
  readonly guard: ChildProcess;
  readonly groups: Set<number>;
  members: number;
}

function beginBrood(): Brood {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'));
  // A session of its own: the interrupt that a terminal sends to all of us must not end it before the others.
  const guard = spawn('/bin/sh', ['-c', GUARD, 'millrace-guard', folder], {
    detached: true,
    env: { PATH: process.env['PATH'] },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  return { folder, guard, groups: new Set(), members: 0 };
}

function tellGuard(brood: Brood): void {
  brood.guard.stdin!.write(`${[...brood.groups].join(' ')}\n`);
}

async function endGuard(guard: ChildProcess): Promise<void> {
  guard.stdin!.end();
  if (guard.pid === undefined || guard.exitCode !== null || guard.signalCode !== null) return;
  await new Promise((resolve) => guard.once('exit', resolve));
}

/** Something may still write into it in its last moment, hence the retries; what cannot be removed is left behind. */
async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 }).catch(() => {});
}
