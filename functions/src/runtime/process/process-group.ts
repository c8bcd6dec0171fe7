import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';

import type { Nest } from './nest.ts';

/** A process that is the first of a group of its own: what it starts goes with it. */
export interface ProcessGroup {
  readonly child: ChildProcess;
  /** Resolves when nothing of it is left: `exited with code 1`; an Error, for people, when it never began. */
  readonly exit: Promise<string | Error>;
  /** Sends to the whole group. Without effect when nobody is left in it. */
  readonly signal: (signal: NodeJS.Signals) => void;
}

/** Begins a process in a group of its own, which ends when we do. */
export function beginGroup(
  nest: Nest,
  command: string,
  parameters: readonly string[],
  options: { cwd: string; env: Readonly<Record<string, string>>; stdio: StdioOptions },
): ProcessGroup {
  const child = spawn(command, parameters, { ...options, detached: true });
  const exit = exitOf(child);
  const group = child.pid;
  let isGone = false;
  const signal = (name: NodeJS.Signals): void => {
    if (group === undefined || isGone) return;
    try {
      process.kill(-group, name);
    } catch {
      // Nobody is left in the group.
    }
  };
  if (group !== undefined) nest.watch(group);
  const gone = exit.then(async (how) => {
    // What the code has started goes with it, before the group's number may be given to somebody else.
    signal('SIGKILL');
    isGone = true;
    if (group !== undefined) await nest.unwatch(group);
    return how;
  });
  return { child, exit: gone, signal };
}

/** How the process ended, in words; an Error when it never began. */
export function exitOf(child: ChildProcess): Promise<string | Error> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(spawnFault(child.spawnfile, error)));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `exited with code ${code}` : `was ended by ${signal}`),
    );
  });
}

function spawnFault(command: string, error: Error): Error {
  const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  const why = isMissing ? 'it was not found on the PATH; install it' : error.message;
  return new Error(`cannot run ${command}: ${why}`, { cause: error });
}
