import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { pythonImports } from './python-imports.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-imports-'));
after(() => rmSync(folder, { recursive: true }));

function importsOf(code: string): readonly string[] {
  writeFileSync(join(folder, 'main.py'), code);
  return pythonImports(join(folder, 'main.py')).modules;
}

describe('the imports of a Python file', () => {
  test('are found at any depth, with aliases and several in a line, but not in what only resembles them', () => {
    const code = `
import one, two.deep as deep  # a word
from three.parts import (
    this,
)
def handle(req):
\timport four
    from five import *
import_six = "import seven"; from_eight = 1
from . import nine
`;
    assert.deepEqual(importsOf(code), ['five', 'four', 'one', 'three.parts', 'two.deep']);
  });

  test('are those of its neighbours, too, which are none themselves', () => {
    mkdirSync(join(folder, 'parts'));
    writeFileSync(join(folder, 'parts', '__init__.py'), 'import inner, helper');
    writeFileSync(join(folder, 'helper.py'), 'import outer, parts');
    assert.deepEqual(importsOf('import helper\nfrom parts import x'), ['inner', 'outer']);
  });

  test('are none of a file that is not there', () => {
    assert.deepEqual(pythonImports(join(folder, 'gone', 'main.py')).modules, []);
  });
});
