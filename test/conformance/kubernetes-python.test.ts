import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

import { startMillrace, testFolder } from '../support/process.ts';
import { providePythonKubernetes } from '../support/python-packages.ts';

const packages = await providePythonKubernetes();
const MAIN = join(import.meta.dirname, '../../cli/src/main.ts');
const SCRIPT = join(import.meta.dirname, 'kubernetes-python.py');

describe('the official Python client of Kubernetes', { skip: 'skip' in packages ? packages.skip : false }, () => {
  test('lists, watches from where it listed, patches, applies on the server, and deletes', async () => {
    using folder = testFolder();
    await using millrace = await startMillrace({ data: folder.at('data') });
    const run = promisify(execFile);
    const asked = { env: { ...process.env, MILLRACE_ADMIN: millrace.admin } };
    const { stdout: kubeconfig } = await run(process.execPath, [MAIN, 'kubeconfig'], asked);
    const file = folder.write('kubeconfig', kubeconfig);
    const PYTHONPATH = 'component' in packages ? packages.component : '';
    const env = { PATH: process.env['PATH'], HOME: folder.path, PYTHONPATH, PYTHONDONTWRITEBYTECODE: '1' };
    const { stdout } = await run('python3', ['-W', 'ignore', SCRIPT, file], { env, timeout: 120_000 });
    assert.equal(stdout, 'done\n');
  });
});
