import { delimiter } from 'node:path';

import type { Launch, Order } from './launcher.ts';
import type { Nest } from './nest.ts';
import { beginWorker, runnerFile } from './worker.ts';
import type { Worker } from './worker.ts';

/** Begins the runner of the code's language for this one order: nothing was ready before. */
export function spawnRunner(nest: Nest): Launch {
  return (order) => begin(nest, order).specialise(order);
}

function begin(nest: Nest, { workload, environment }: Order): Worker {
  if (workload.code.language !== 'python') return beginNode(nest, environment);
  return beginWorker(nest, 'python3', [...PYTHON_FLAGS, runnerFile('python-runner.py')], environment);
}

/**
 * -u: a line shows when it is printed. -B: no `__pycache__` beside the author's files. -s: nothing of the packages that
 * this user has in their home.
 */
export const PYTHON_FLAGS = ['-u', '-B', '-s'];

/** Begins a worker that serves Node's code, and commands. */
export function beginNode(nest: Nest, environment: Readonly<Record<string, string>>): Worker {
  return beginWorker(nest, process.execPath, [...NODE_FLAGS, runnerFile('node-runner.mjs')], environment);
}

/** An author's folder without a package.json is all right: what Node would say about it is no line of the function's. */
const NODE_FLAGS = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON'];

/** The few variables that every program needs. */
export function basicEnvironment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? ['/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
    LANG: process.env['LANG'] ?? 'C.UTF-8',
  };
}
