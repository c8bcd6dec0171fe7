import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

import { cacheFolder, fillFolder, provide } from './component.ts';
import type { Provided } from './component.ts';

/**
 * A folder for Python's path with the real `anthropic` and `flask` from PyPI, for the Python on the PATH, or why there
 * is none. `MILLRACE_PYTHON_PACKAGES` may name another one.
 */
export function providePythonPackages(): Promise<Provided<string>> {
  return provided('python-packages', ['anthropic==2.12.0', 'flask==3.1.3'], 'MILLRACE_PYTHON_PACKAGES');
}

/** The same with the official Kubernetes client. `MILLRACE_PYTHON_KUBERNETES` may name another folder. */
export function providePythonKubernetes(): Promise<Provided<string>> {
  return provided('python-kubernetes', ['kubernetes==37.0.2'], 'MILLRACE_PYTHON_KUBERNETES');
}

function provided(name: string, packages: readonly string[], variable: string): Promise<Provided<string>> {
  const python = pythonHere();
  const folder = cacheFolder(`${name}-${[...packages, python ?? ''].join('-').replaceAll('==', '-')}`);
  return provide<string>({
    name: packages.join(' and ').replaceAll('==', ' '),
    given: () => process.env[variable],
    obstacle: () => (python === undefined ? 'there is no python3 with pip on the PATH' : undefined),
    cached: () => (existsSync(folder) ? folder : undefined),
    async fetch() {
      await fillFolder(folder, async (temporary) => {
        const options = ['--quiet', '--disable-pip-version-check', '--root-user-action=ignore'];
        await promisify(execFile)('python3', ['-m', 'pip', 'install', ...options, '--target', temporary, ...packages]);
      });
      return folder;
    },
  });
}

/** What compiled packages are made for, such as `cpython-311-x86_64-linux-gnu`. */
function pythonHere(): string | undefined {
  const code = 'import pip, sysconfig; print(sysconfig.get_config_var("SOABI"))';
  const { status, stdout } = spawnSync('python3', ['-c', code], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
