import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { PassThrough, pipeline } from 'node:stream';
import type { Duplex } from 'node:stream';

import { withinExplanation } from '../broken-call.ts';
import { runnerOrder } from './launcher.ts';
import type { Order, Told } from './launcher.ts';
import type { Nest } from './nest.ts';
import type { Specialised } from './worker.ts';

/** What a forked process says on its line. */
export type ChildSaid = { readonly child: number; readonly pid: number } | { readonly taken: true } | Told;

/** A process that is to be forked, or was, as its server sees it. */
export interface Child {
  /** It is there, and listens to its line for the order. What it says then goes to the function that this gives. */
  connected(pid: number, line: Duplex): (message: ChildSaid) => void;
  /** Nothing is left of it, or nothing will come. */
  gone(how: string | Error): void;
}

/**
 * A launch that becomes true when the process connects. `output` is the beginning of the paths of its FIFOs; `calledOff`
 * hears when it is to end before it has connected.
 */
export function awaitedChild(
  nest: Nest,
  order: Order,
  output: string,
  calledOff: () => void,
): { launched: Specialised; child: Child } {
  const taken = Promise.withResolvers<boolean>();
  const told = Promise.withResolvers<Told | undefined>();
  const exit = Promise.withResolvers<string | Error>();
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let group: number | undefined;
  let hearing: Promise<unknown> = Promise.resolve();
  let missed: NodeJS.Signals | undefined;
  const signal = (name: NodeJS.Signals): void => {
    if (group !== undefined) return signalGroup(group, name);
    missed = name;
    calledOff();
  };
  const child: Child = {
    connected(pid, line) {
      group = pid;
      nest.watch(pid);
      hearing = new Promise((resolve) => line.once('close', resolve));
      order.begun(pid);
      readOutput(`${output}.stdout`, stdout);
      readOutput(`${output}.stderr`, stderr);
      line.write(`${JSON.stringify(runnerOrder(order))}\n`);
      taken.resolve(true);
      if (missed !== undefined) signalGroup(pid, missed);
      return (message) => {
        if ('ready' in message || 'error' in message) told.resolve(message);
      };
    },
    gone(how) {
      void end(how);
    },
  };
  async function end(how: string | Error): Promise<void> {
    if (group === undefined) {
      stdout.end();
      stderr.end();
    } else {
      signalGroup(group, 'SIGKILL');
      await nest.unwatch(group);
      group = undefined;
    }
    taken.resolve(false);
    exit.resolve(how);
    // What it said last may still be on its way.
    await withinExplanation(hearing);
    told.resolve(undefined);
  }
  const launched = { stdout, stderr, taken: taken.promise, told: told.promise, exit: exit.promise, notes: [], signal };
  return { launched, child };
}

function signalGroup(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch {
    // Nobody is left in the group.
  }
}

/** The child has opened it for writing: it has ended when nobody writes any more. */
function readOutput(fifo: string, output: PassThrough): void {
  try {
    const descriptor = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      pipeline(new Socket({ fd: descriptor, readable: true, writable: false }), output, () => {});
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  } catch {
    // No descriptors are left for us: without its output it runs all the same.
    output.end();
  }
}
