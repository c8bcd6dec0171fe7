import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';

import { aContext, anEvent, handlerOf, textOf } from '../test-support.ts';
import { WORKLOAD_DEFAULTS } from '../workload.ts';
import type { Workload } from '../workload.ts';
import { processRuntime } from './process/process.ts';

describe('what a copied Node function imports', () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-resolution-'));
  const runtime = processRuntime();
  after(async () => {
    await runtime.close();
    rmSync(root, { recursive: true });
  });
  let lines: string[];
  beforeEach(() => {
    lines = [];
  });

  function write(path: string, text: string): string {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }
  function writePackage(folder: string, name: string, code: string): void {
    write(`${folder}/node_modules/${name}/package.json`, JSON.stringify({ name, main: './index.js' }));
    write(`${folder}/node_modules/${name}/index.js`, code);
  }
  const origin = write('origin/handler.mjs', '');
  const packages = join(root, 'packages');

  async function answerOf(file: string): Promise<string> {
    const code = { language: 'node', file, origin, packages } as const;
    const workload: Workload = { ...WORKLOAD_DEFAULTS, name: 'default/copied', code };
    const instance = runtime.start(workload, (line) => lines.push(line.text));
    await instance.ready;
    const { event } = await handlerOf(instance, workload)(anEvent(), aContext());
    await instance.kill();
    return textOf(event);
  }

  writePackage('packages', 'installed', `module.exports = 'installed'`);
  writePackage('packages', 'twice', `module.exports = 'from packages'`);
  writePackage('origin', 'twice', `module.exports = 'from the origin'`);
  writePackage('origin', 'beside', `module.exports = 'beside ' + require('installed-beside')`);
  writePackage('origin', 'installed-beside', `module.exports = 'it'`);
  write('origin/pages.mjs', `import name from 'installed'; export default 'pages with ' + name;`);
  write('origin/words.cjs', `module.exports = 'words with ' + require('installed');`);

  test('is found among its packages, and beside the original, by import', async () => {
    const file = write(
      'copy/a.mjs',
      `import installed from 'installed'; import twice from 'twice'; import beside from 'beside'; import pages from './pages.mjs';
       export default () => [installed, twice, beside, pages].join();`,
    );
    assert.equal(await answerOf(file), 'installed,from packages,beside it,pages with installed');
  });

  test('is found among its packages, and beside the original, by require', async () => {
    const file = write(
      'copy/b.cjs',
      `module.exports = () => [require('installed'), require('twice'), require('beside'), require('./words.cjs')].join();`,
    );
    assert.equal(await answerOf(file), 'installed,from packages,beside it,words with installed');
  });

  test('may be millrace/agent, wherever it lies, by import and by require', async () => {
    for (const file of [
      write('copy/c.mjs', `import { agent } from 'millrace/agent'; export default () => typeof agent;`),
      write('copy/c.cjs', `const { agent } = require('millrace/agent'); module.exports = () => typeof agent;`),
    ]) {
      assert.equal(await answerOf(file), 'function');
    }
  });

  test('is named, with all places, when it is nowhere', async () => {
    for (const file of [
      write('copy/d.mjs', `import 'left-pad'; export default () => {};`),
      write('copy/d.cjs', `require('left-pad'); module.exports = () => {};`),
    ]) {
      await assert.rejects(answerOf(file), (error: Error) => {
        assert.match(error.message, /cannot find the package left-pad for .*origin\/handler\.mjs: looked in /);
        for (const place of ['copy', 'packages', 'origin']) assert.ok(error.message.includes(join(root, place)), place);
        assert.match(error.message, /add it to package\.json/);
        return true;
      });
    }
    const file = write('copy/e.mjs', `import './nowhere.mjs'; export default () => {};`);
    await assert.rejects(answerOf(file), /cannot find the file \.\/nowhere\.mjs for .*origin\/handler\.mjs/);
  });

  test('may be tried: what is not found has the code that Node gives it', async () => {
    const file = write(
      'copy/f.cjs',
      `let code; try { require('left-pad') } catch (error) { code = error.code } module.exports = () => code;`,
    );
    assert.equal(await answerOf(file), 'MODULE_NOT_FOUND');
  });
});
