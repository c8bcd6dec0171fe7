import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { withinExplanation } from '../broken-call.ts';
import { runnerOrder } from './launcher.ts';
import type { Launched, Order, Told } from './launcher.ts';
import type { Nest } from './nest.ts';
import { beginGroup } from './process-group.ts';

export { exitOf } from './process-group.ts';

/** A process of a runner of ours that waits for its order: it has loaded nothing of an author's yet. */
export interface Worker {
  /** Resolves when the process is gone; an Error, for people, when it never began. */
  readonly exit: Promise<string | Error>;
  /** Makes it an instance. Once. */
  specialise(order: Order): Specialised;
  /** Ends it, with all that it has started. */
  kill(): void;
}

/** A worker that has got its order. */
export interface Specialised extends Launched {
  /** Whether it has begun with the order; false when it was gone before. */
  readonly taken: Promise<boolean>;
}

/** Begins the process of a runner in a process group of its own. File descriptor 3 carries the order and the answer. */
export function beginWorker(
  nest: Nest,
  command: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
): Worker {
  const stdio = ['ignore', 'pipe', 'pipe', 'pipe'] as const;
  const { child, exit, signal } = beginGroup(nest, command, parameters, {
    cwd: '/',
    env: environment,
    stdio: [...stdio],
  });
  const taken = Promise.withResolvers<boolean>();
  const told = Promise.withResolvers<Told | undefined>();
  const control = child.stdio[3] as Duplex;
  const hearing = hear(control, (message) => {
    taken.resolve(true);
    if (!('taken' in message)) told.resolve(message);
  });
  // What it said last may still be on its way when it is gone.
  void exit
    .then(() => withinExplanation(hearing))
    .then(() => {
      taken.resolve(false);
      told.resolve(undefined);
      control.destroy();
    });
  return {
    exit,
    kill: () => signal('SIGKILL'),
    specialise(order) {
      control.write(`${JSON.stringify(runnerOrder(order))}\n`);
      const { stdout, stderr } = child;
      return { stdout: stdout!, stderr: stderr!, taken: taken.promise, told: told.promise, exit, notes: [], signal };
    },
  };
}

/** The file of a runner of ours. */
export function runnerFile(name: string): string {
  return fileURLToPath(new URL(`../runners/${name}`, import.meta.url));
}

/** Hands on what a runner says, a line of JSON each. Resolves when it says no more; never rejects. */
async function hear(stream: Duplex, take: (message: Told | { readonly taken: true }) => void): Promise<void> {
  // A worker that ends before its order has read it breaks the pipe; how it ended is told by its exit.
  stream.on('error', () => {});
  let text = '';
  try {
    for await (const chunk of stream.setEncoding('utf8')) {
      const lines = (text + String(chunk)).split('\n');
      text = lines.pop()!;
      for (const line of lines) take(JSON.parse(line) as Told);
    }
  } catch {
    // It ended in the middle of a word.
  }
}
