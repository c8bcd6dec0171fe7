import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A temporary folder of the files of a function, and packages that need no network. */
export interface Workbench extends Disposable {
  readonly folder: string;
  /** Writes a file of the folder. */
  write(path: string, text: string): string;
  /** Makes a wheel `<name>-1.0` with this module; pip finds it with {@link environment}. */
  wheel(name: string, code: string): void;
  /** Of this process, without an index for pip. */
  readonly environment: Record<string, string | undefined>;
}

export function openWorkbench(): Workbench {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-packages-'));
  const wheels = join(folder, 'wheels');
  mkdirSync(wheels);
  return {
    folder,
    environment: { ...process.env, PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels, npm_config_offline: 'true' },
    write(path, text) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
    wheel(name, code) {
      execFileSync('python3', ['-c', MAKE_WHEEL, wheels, name, code]);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

// PEP 427: a zip of the module and three files that describe it.
const MAKE_WHEEL = `
import sys, zipfile
folder, name, code = sys.argv[1:]
info = f'{name}-1.0.dist-info'
with zipfile.ZipFile(f'{folder}/{name}-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.writestr(f'{name}.py', code)
    wheel.writestr(f'{info}/METADATA', f'Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n')
    wheel.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(f'{info}/RECORD', f'{name}.py,,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n')
`;
