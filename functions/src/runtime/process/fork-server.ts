import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

import { awaitedChild } from './forked-child.ts';
import type { Child, ChildSaid } from './forked-child.ts';
import { hearLines } from './json-lines.ts';
import type { Order } from './launcher.ts';
import type { Nest } from './nest.ts';
import type { Preloaded } from './preload.ts';
import { beginGroup } from './process-group.ts';
import type { Specialised } from './worker.ts';

/** A process of Python's that has imported packages and forks an instance for each order; see python/fork_server.py. */
export interface ForkServer {
  /** Resolves when it has imported what it could; undefined when it cannot fork, or is gone. */
  readonly preloaded: Promise<ForkablePython | undefined>;
  /** How many instances of it there are, or are to be. */
  readonly children: number;
  /** Resolves when it is gone. */
  readonly exit: Promise<unknown>;
  /** Forks an instance, once all is imported and if it `fits`; otherwise the order is not taken. */
  fork(order: Order, fits: (python: ForkablePython) => boolean): Specialised;
  /** Takes nothing more, and ends when it has no children any more. Resolves when it is gone. */
  retire(): Promise<void>;
}

/** What a fork server has in it. */
export interface ForkablePython extends Preloaded {
  /** The modules that came by the imports, without what is below them. */
  readonly modules: readonly string[];
  /** The names of Python's own modules. */
  readonly standard: readonly string[];
}

type ServerSaid =
  | { readonly preloaded: ForkablePython & { readonly unfit: string | null } }
  | ({ readonly gone: number } & ({ code: number } | { signal: string } | { fault: string }));

/** Begins a fork server. Throws when there is no room for its folder. */
export function beginForkServer(
  nest: Nest,
  options: {
    name: string;
    command: string;
    parameters: readonly string[];
    environment: Readonly<Record<string, string>>;
    packages: string | undefined;
    imports: readonly string[];
  },
): ForkServer {
  const folder = nest.enter(options.name);
  const address = join(folder, 'children');
  const { child, exit, signal } = beginGroup(nest, options.command, options.parameters, {
    cwd: '/',
    env: options.environment,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const control = child.stdio[3] as Duplex;
  const tell = (message: object): boolean => control.write(`${JSON.stringify(message)}\n`);
  const children = new Map<number, Child>();
  const preloaded = Promise.withResolvers<ForkablePython | undefined>();
  let begun = 0;
  let isRetired = false;
  let isGone = false;

  const listener = createServer((line) => {
    let take: ((message: ChildSaid) => void) | undefined;
    void hearLines(line, (said) => {
      const message = said as ChildSaid;
      if ('child' in message) take = children.get(message.child)?.connected(message.pid, line);
      else take?.(message);
    }).then(() => line.destroy());
  });
  listener.on('error', () => signal('SIGKILL'));
  listener.listen(address, () => {
    const { packages = null, imports } = options;
    tell({ preload: { packages, imports, address } });
  });
  void hearLines(control, (said) => {
    const message = said as ServerSaid;
    if ('preloaded' in message)
      return preloaded.resolve(message.preloaded.unfit === null ? message.preloaded : undefined);
    forget(message.gone, howOf(message));
  });
  function forget(id: number, how: string | Error): void {
    const gone = children.get(id);
    children.delete(id);
    gone?.gone(how);
    endIfUnused();
  }
  function endIfUnused(): void {
    if (isRetired && children.size === 0) signal('SIGKILL');
  }
  const gone = exit.then(async (how) => {
    isGone = true;
    preloaded.resolve(undefined);
    const why = how instanceof Error ? how : `ended with the process that it was forked from, which ${how}`;
    for (const id of children.keys()) forget(id, why);
    listener.close();
    control.destroy();
    await nest.leave(folder);
  });
  return {
    preloaded: preloaded.promise,
    exit: gone,
    get children() {
      return children.size;
    },
    fork(order, fits) {
      const id = (begun += 1);
      const output = order.socket;
      let isAsked = false;
      const { launched, child: awaited } = awaitedChild(nest, order, output, () => {
        if (!isAsked) forget(id, 'was ended before it began');
      });
      children.set(id, awaited);
      void preloaded.promise.then((python) => {
        if (!children.has(id)) return;
        if (python === undefined || isGone || !fits(python)) return forget(id, 'was not begun');
        isAsked = true;
        tell({ fork: id, output });
      });
      return launched;
    },
    async retire() {
      isRetired = true;
      endIfUnused();
      await gone;
    },
  };
}

function howOf(message: { code: number } | { signal: string } | { fault: string }): string | Error {
  if ('code' in message) return `exited with code ${message.code}`;
  if ('signal' in message) return `was ended by ${message.signal}`;
  return new Error(`cannot fork a process of Python: ${message.fault}`);
}
