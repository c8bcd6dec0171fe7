import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { isPrintable, printable, printableLines } from './printable.ts';

test('what a terminal would obey is shown as an escape', () => {
  assert.equal(printable('a\u001b[31mb\u009bc\u007f\n\r\t\u202ed'), 'a\\u001b[31mb\\u009bc\\u007f\\n\\r\\t\\u202ed');
});

test('in lines, only line feeds and tabs stay', () => {
  assert.equal(printableLines('a\n\tb\r\u001b]0;x\u0007'), 'a\n\tb\\r\\u001b]0;x\\u0007');
});

test('ordinary text of any language is left alone', () => {
  const text = 'Grüße, 世界 👋 — «ok»';
  assert.ok(isPrintable(text));
  assert.equal(printable(text), text);
});

test('nothing unprintable is left of any text, and JSON means the same', () => {
  const anyText = fc.string({ unit: 'binary' });
  fc.assert(fc.property(anyText, (text) => isPrintable(printable(text))));
  fc.assert(
    fc.property(anyText, (text) => {
      assert.equal(JSON.parse(printableLines(JSON.stringify([text], undefined, 2)))[0], text);
    }),
  );
});
