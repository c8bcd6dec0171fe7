import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Workload } from '../workload.ts';

/** How the process of an instance is begun. */
export interface Launch {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const NODE_RUNNER = fileURLToPath(new URL('runners/node-runner.mjs', import.meta.url));
const PYTHON_RUNNER = fileURLToPath(new URL('runners/python-runner.py', import.meta.url));

/** The runner of the code's language, told to serve the code on this socket; `home` is the instance's own folder. */
export function launchOf(workload: Workload, socket: string, home: string): Launch {
  const environment = environmentOf(workload, home);
  const rest = [workload.code.file, socket, `/functions/${workload.name}`];
  if (workload.code.language === 'python') {
    // -u: a line shows when it is printed. -B: no __pycache__ beside the author's files.
    return { command: 'python3', arguments: ['-u', '-B', PYTHON_RUNNER, ...rest], environment };
  }
  // An author's folder without a package.json is all right: what Node would say about it is no line of the function's.
  const quiet = '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON';
  return { command: process.execPath, arguments: [quiet, NODE_RUNNER, ...rest], environment };
}

function environmentOf(workload: Workload, home: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? ['/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
    LANG: process.env['LANG'] ?? 'C.UTF-8',
    HOME: home,
    TMPDIR: home,
    ...workload.environment,
  };
}
