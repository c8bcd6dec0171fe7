import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { runnerOrder } from './launcher.ts';
import type { Launched, Order, Told } from './launcher.ts';
import type { Nest } from './nest.ts';

/** A process of a runner of ours that waits for its order: it has loaded nothing of an author's yet. */
export interface Worker {
  /** Resolves when the process is gone; an Error, for people, when it never began. */
  readonly exit: Promise<string | Error>;
  /** Makes it an instance. Once. */
  specialise(order: Order): Launched;
  /** Ends it, with all that it has started. */
  kill(): void;
}

/** Begins the process of a runner in a process group of its own. File descriptor 3 carries the order and the answer. */
export function beginWorker(
  nest: Nest,
  command: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
): Worker {
  const child = spawn(command, parameters, {
    cwd: '/',
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
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
  const control = child.stdio[3] as Duplex;
  // A worker that ends before its order has read it breaks the pipe; how it ended is told by `exit`.
  control.on('error', () => {});
  return {
    exit: gone,
    kill: () => signal('SIGKILL'),
    specialise(order) {
      control.write(`${JSON.stringify(runnerOrder(order))}\n`);
      const told = Promise.race([
        firstLine(control).then((line) => (line === '' ? undefined : (JSON.parse(line) as Told))),
        gone.then(() => undefined),
      ]);
      return { stdout: child.stdout!, stderr: child.stderr!, told, exit: gone, notes: [], signal };
    },
  };
}

/** The file of a runner of ours. */
export function runnerFile(name: string): string {
  return fileURLToPath(new URL(`../runners/${name}`, import.meta.url));
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

async function firstLine(stream: Readable): Promise<string> {
  let text = '';
  try {
    for await (const chunk of stream.setEncoding('utf8')) {
      text += String(chunk);
      const end = text.indexOf('\n');
      if (end >= 0) return text.slice(0, end);
    }
  } catch {
    // It ended; the exit tells why.
  }
  return '';
}
