import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkExpression } from './expression.ts';

test('an expression that compiles has no fault', () => {
  for (const text of ['$', '{"specversion": "1.0"}', '$map(data.items, function($item) { $item.id })', '/* no */ 1']) {
    assert.equal(checkExpression(text), undefined, text);
  }
});

test('a fault says what was expected and where', () => {
  assert.deepEqual(checkExpression('{"a": }'), {
    message: 'The symbol "}" cannot be used as a unary operator',
    position: 7,
  });
  assert.deepEqual(checkExpression('$sum(data.items'), {
    message: 'Expected ")" before end of expression',
    position: 15,
  });
});

test('nothing that is checked gets out of hand: not a deep one, an empty one, a regular expression that is none', () => {
  for (const text of ['', '('.repeat(100_000), '/(/', '"\\u12"', `"${'x'.repeat(100_000)}`]) {
    const fault = checkExpression(text);
    assert.ok(fault !== undefined && fault.message.length <= 500, `${text.slice(0, 10)}: ${fault?.message}`);
  }
});
