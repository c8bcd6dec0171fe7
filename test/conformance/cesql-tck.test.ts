import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CesqlFault, compileCesql } from '@millrace/bus/filter/cesql/cesql';
import type { Value } from '@millrace/bus/filter/cesql/cesql';
import { makeEvent } from '@millrace/event/event';
import type { Attributes } from '@millrace/event/event';
import { isScalar, parseDocument, visit } from 'yaml';

/** One file of the conformance suite, as its README describes it. */
interface Suite {
  readonly name: string;
  readonly tests: readonly Case[];
}

interface Case {
  readonly name: string;
  readonly expression: string;
  readonly result?: Value;
  readonly error?: string;
  readonly event?: Attributes;
  readonly eventOverrides?: Attributes;
}

const ANY_EVENT: Attributes = { specversion: '1.0', id: 'id', source: 'localhost', type: 'type' };
const home = process.env['MILLRACE_TCK'] || undefined;

if (home === undefined) {
  test('CESQL conformance', { skip: 'set MILLRACE_TCK to the folder whose cesql/ holds the suite (*.yaml)' }, () => {});
} else {
  const folder = join(home, 'cesql');
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
    const suite = load(join(folder, file));
    describe(`${file}: ${suite.name}`, () => {
      for (const each of suite.tests) test(each.name, () => check(each));
    });
  }
}

/**
 * Expressions are text even where YAML would see a boolean or a number (`TRUE`, `-10`), so they are taken as written.
 * Some of the published files misspell the key.
 */
function load(path: string): Suite {
  const document = parseDocument(readFileSync(path, 'utf8'));
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !isScalar(value) || !/^express?ion$/.test(String(key.value))) return;
      key.value = 'expression';
      value.value = value.source;
    },
  });
  return document.toJS() as Suite;
}

function check({ expression, result, error, event, eventOverrides }: Case): void {
  if (error === 'parse') {
    assert.throws(() => compileCesql(expression), CesqlFault);
    return;
  }
  const attributes = event ?? { ...ANY_EVENT, ...eventOverrides };
  const evaluation = compileCesql(expression).evaluate(makeEvent(attributes, undefined));
  assert.equal(evaluation.error?.kind, error);
  if (result !== undefined) assert.deepEqual(evaluation.value, result);
}
