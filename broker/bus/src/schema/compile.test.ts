import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { compileSchema } from './compile.ts';
import { SchemaFault } from './fault.ts';

const compiled = (schema: unknown) => compileSchema(JSON.stringify(schema));

describe('a JSON Schema', () => {
  const order = compiled({
    type: 'object',
    required: ['id'],
    additionalProperties: false,
    properties: { id: { type: 'integer' }, state: { enum: ['open', 'closed'] }, note: { pattern: '^[a-z]+$' } },
  });

  test('takes what it describes', () => {
    assert.equal(order({ id: 1, state: 'open', note: 'abc' }), undefined);
  });

  for (const [what, value, why] of [
    ['a field that is missing', {}, `it must have required property 'id'`],
    ['another type', { id: 'one' }, '/id must be integer'],
    ['a field that nobody knows', { id: 1, sate: 'open' }, 'it must NOT have additional properties: "sate"'],
    [
      'none of the values',
      { id: 1, state: 'ajar' },
      '/state must be equal to one of the allowed values: ["open","closed"]',
    ],
    ['another pattern', { id: 1, note: 'A' }, '/note must match pattern "^[a-z]+$"'],
  ] as const) {
    test(`tells ${what} with its place`, () => {
      assert.equal(order(value), why);
    });
  }

  for (const draft of [
    'https://json-schema.org/draft/2020-12/schema',
    'https://json-schema.org/draft/2019-09/schema',
    'http://json-schema.org/draft-07/schema#',
  ]) {
    test(`may be of ${draft}`, () => {
      const check = compiled({ $schema: draft, type: 'array', items: { type: 'number' } });
      assert.equal(check([1, 2]), undefined);
      assert.equal(check([1, 'two']), '/1 must be number');
    });
  }

  test('keeps what the drafts differ in: a list of items is prefixItems in the newest', () => {
    const tuple = { items: [{ type: 'string' }] };
    assert.equal(compiled({ $schema: 'http://json-schema.org/draft-07/schema#', ...tuple })([1]), '/0 must be string');
    assert.equal(compiled({ prefixItems: tuple.items })([1]), '/0 must be string');
  });

  test('may refer to itself, and a value may be as deep as it likes', () => {
    const tree = compiled({
      $defs: { node: { type: 'array', items: { $ref: '#/$defs/node' } } },
      $ref: '#/$defs/node',
    });
    assert.equal(tree([[], [[]]]), undefined);
    assert.equal(tree([[1]]), '/0/0 must be array');
    let deep: unknown[] = [];
    for (let level = 0; level < 200_000; level += 1) deep = [deep];
    assert.equal(tree(deep), 'it is nested too deeply to be held against the schema');
  });

  test('has patterns that no text can hold up', () => {
    const check = compiled({ pattern: '^(a+)+$', $comment: 'with backtracking this would take years' });
    assert.equal(check('a'.repeat(200)), undefined);
    assert.match(check(`${'a'.repeat(200)}!`) ?? '', /must match pattern/);
  });

  test('tells two patterns apart', () => {
    const check = compiled({ properties: { a: { pattern: '^x' }, b: { pattern: '^y' } } });
    assert.equal(check({ a: 'x', b: 'y' }), undefined);
    assert.equal(check({ a: 'x', b: 'x' }), '/b must match pattern "^y"');
  });

  test('that is true takes everything, and false nothing', () => {
    assert.equal(compiled(true)(1), undefined);
    assert.equal(compiled(false)(1), 'the schema takes nothing');
  });

  test('may have keywords of its own', () => {
    assert.equal(compiled({ 'x-owner': 'shop', type: 'number', format: 'money' })(1), undefined);
  });
});

describe('what is no JSON Schema', () => {
  for (const [what, text, message] of [
    ['no JSON', '{', /expected a JSON Schema, as JSON/],
    ['a list', '[]', /expected a JSON Schema: an object, got a list/],
    ['a type that there is not', '{"type":"money"}', /type/],
    ['a reference to elsewhere', '{"$ref":"https://example.com/order.json"}', /can't resolve reference/],
    ['a draft that is not read', '{"$schema":"http://json-schema.org/draft-04/schema#"}', /draft-07/],
    ['a pattern with a look behind', '{"pattern":"(?<=a)b"}', /a JSON Schema/],
    ['one that answers later', '{"$async":true}', /\$async/],
    ['one that is too long', `{"description":"${'x'.repeat(300_000)}"}`, /at most 262144 bytes/],
  ] as const) {
    test(`is refused: ${what}`, () => {
      assert.throws(
        () => compileSchema(text),
        (error) => error instanceof SchemaFault && message.test(error.message),
      );
    });
  }
});
