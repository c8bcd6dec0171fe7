import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';

import { compilePlan } from '@millrace/bus/plan/compile';
import { findCode } from '@millrace/functions/find-code';
import { formatFault } from '@millrace/resources/fault';
import { readFolder } from '@millrace/resources/folder';

const ROOT = join(import.meta.dirname, '..');
const MANIFESTS = join(ROOT, 'manifests', 'examples');
const FUNCTIONS = join(ROOT, 'functions', 'examples');

describe('the examples', () => {
  for (const name of readdirSync(MANIFESTS)) {
    test(`${name} reads and compiles without faults, and nothing that it names is missing`, () => {
      const { declared, faults } = readFolder(join(MANIFESTS, name));
      assert.deepEqual(faults.map(formatFault), []);
      const plan = compilePlan(declared, 'http://127.0.0.1:8080');
      assert.deepEqual(plan.faults, []);
      const notReady = [...plan.statuses.values()].flatMap(({ conditions }) =>
        conditions.filter((it) => it.status === 'False'),
      );
      assert.deepEqual(notReady, []);
      assert.notEqual(plan.routes.length, 0);
      for (const { namespace, service, code, manifest } of plan.workloads) {
        const annotation = code === undefined ? {} : { annotation: code };
        const found = findCode({ namespace, service, manifestFolder: dirname(manifest), ...annotation });
        assert.ok('code' in found, `${service}: ${JSON.stringify(found)}`);
      }
    });
  }

  test('every function among them is called by a test', () => {
    const tests = readFileSync(join(FUNCTIONS, 'examples.test.ts'), 'utf8');
    const folders = globSync('*/', { cwd: FUNCTIONS });
    assert.notEqual(folders.length, 0);
    for (const folder of folders) assert.match(tests, new RegExp(`'${folder}'|${folder} \\w+`), folder);
  });
});
