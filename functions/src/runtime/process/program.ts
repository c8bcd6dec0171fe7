import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import type { Clock } from '../../clock.ts';
import type { Launched, Launcher, Order, Told } from './launcher.ts';
import type { Nest } from './nest.ts';
import { beginGroup } from './process-group.ts';

const FIRST_WAIT_MS = 2;
const LONGEST_WAIT_MS = 100;

/**
 * Begins programs. One that speaks HTTP runs in its folder and listens on `PORT`, a free port of 127.0.0.1; it is
 * loaded when it accepts a connection there. One that speaks over stdin and stdout is left to `commands`, which begin
 * it for every call.
 */
export function programs(nest: Nest, commands: Launcher, after: Clock['after']): Launcher {
  return {
    launch(order) {
      const { code } = order.workload;
      if (code.language !== 'program') throw new TypeError(`expected a program, got ${code.language}`);
      return code.speaks === 'stdio' ? commands.launch(order) : launchServer(nest, order, code, after);
    },
    async close() {},
  };
}

function launchServer(
  nest: Nest,
  order: Order,
  { command, folder }: { readonly command: readonly string[]; readonly folder: string },
  after: Clock['after'],
): Launched {
  const port = freePort();
  const [program = '', ...parameters] = command;
  const env = { ...order.environment, PORT: String(port) };
  const stdio = ['ignore' as const, 'pipe' as const, 'pipe' as const];
  const { child, exit, signal } = beginGroup(nest, program, parameters, { cwd: folder, env, stdio });
  if (child.pid !== undefined) order.begun(child.pid);
  return {
    port,
    stdout: child.stdout!,
    stderr: child.stderr!,
    told: accepts(port, exit, after),
    exit: exit.then((how) => (how instanceof Error ? (missing(folder) ?? how) : how)),
    notes: [],
    signal,
  };
}

/** A folder that is not there looks like a program that is not there. */
function missing(folder: string): Error | undefined {
  return existsSync(folder) ? undefined : new Error(`cannot run it in ${folder}: there is no such folder`);
}

/** Resolves when a connection is accepted; with undefined when the process ended before. */
async function accepts(port: number, exit: Promise<unknown>, after: Clock['after']): Promise<Told | undefined> {
  const gone = exit.then(() => 'gone' as const);
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, wait * 2)) {
    if (await canConnect(port)) return { ready: true };
    const waited = new Promise<void>((resolve) => void after(wait, resolve));
    if ((await Promise.race([gone, waited])) === 'gone') return undefined;
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A port that nobody listens on. The system does not give it to another one soon. */
function freePort(): number {
  // Without a host it is bound at once, not in a later turn.
  const server = createServer().listen(0);
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
