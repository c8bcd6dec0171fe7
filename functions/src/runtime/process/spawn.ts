import { delimiter } from 'node:path';

import type { Launch, Order } from './launcher.ts';
import type { Nest } from './nest.ts';
import { beginWorker, runnerFile } from './worker.ts';

/** Begins the runner of the code's language for this one order: nothing was ready before. */
export function spawnRunner(nest: Nest): Launch {
  return (order) => {
    const { command, parameters } = runnerOf(order);
    return beginWorker(nest, command, parameters, order.environment).specialise(order);
  };
}

function runnerOf({ workload }: Order): { command: string; parameters: string[] } {
  if (workload.code.language === 'python') {
    // -u: a line shows when it is printed. -B: no __pycache__ beside the author's files.
    return { command: 'python3', parameters: ['-u', '-B', runnerFile('python-runner.py')] };
  }
  return { command: process.execPath, parameters: [...NODE_FLAGS, runnerFile('node-runner.mjs')] };
}

/** An author's folder without a package.json is all right: what Node would say about it is no line of the function's. */
export const NODE_FLAGS = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON'];

/** The few variables that every program needs. */
export function basicEnvironment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? ['/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
    LANG: process.env['LANG'] ?? 'C.UTF-8',
  };
}
