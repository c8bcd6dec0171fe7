import { existsSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { withinExplanation } from '../broken-call.ts';
import { hearLines } from './json-lines.ts';
import { runnerOrder } from './launcher.ts';
import type { Launched, Order, Told } from './launcher.ts';
import type { Nest } from './nest.ts';
import type { Preload, Preloaded } from './preload.ts';
import { beginGroup } from './process-group.ts';

export { exitOf } from './process-group.ts';

/** A process of a runner of ours that waits for its order: it has loaded nothing of an author's yet. */
export interface Worker {
  /** Resolves when the process is gone; an Error, for people, when it never began. */
  readonly exit: Promise<string | Error>;
  /**
   * Has it load dependencies ahead of its order. Resolves with what they looked at meanwhile; undefined when one of
   * them failed or the worker is gone: then it is of no use any more.
   */
  preload(preload: Preload): Promise<Preloaded | undefined>;
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
  const preloaded = Promise.withResolvers<Preloaded | undefined>();
  const control = child.stdio[3] as Duplex;
  const hearing = hearLines(control, (said) => {
    const message = said as Said;
    if ('preloaded' in message) return preloaded.resolve(message.preloaded ?? undefined);
    taken.resolve(true);
    if (!('taken' in message)) told.resolve(message);
  });
  // What it said last may still be on its way when it is gone.
  void exit
    .then(() => withinExplanation(hearing))
    .then(() => {
      preloaded.resolve(undefined);
      taken.resolve(false);
      told.resolve(undefined);
      control.destroy();
    });
  return {
    exit,
    kill: () => signal('SIGKILL'),
    preload(preload) {
      control.write(`${JSON.stringify({ preload })}\n`);
      return preloaded.promise;
    },
    specialise(order) {
      if (child.pid !== undefined) order.begun(child.pid);
      control.write(`${JSON.stringify(runnerOrder(order))}\n`);
      const { stdout, stderr } = child;
      return { stdout: stdout!, stderr: stderr!, taken: taken.promise, told: told.promise, exit, notes: [], signal };
    },
  };
}

/** The file of a runner of ours: beside us where we are one published file, else in the next folder. */
export function runnerFile(name: string): string {
  const places = ['./runners/', '../runners/'].map((folder) => fileURLToPath(new URL(folder + name, import.meta.url)));
  return places.find((place) => existsSync(place)) ?? places[1]!;
}

type Said = Told | { readonly taken: true } | { readonly preloaded: Preloaded | null };
