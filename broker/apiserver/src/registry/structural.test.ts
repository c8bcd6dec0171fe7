import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { JsonSchema } from './kind.ts';
import { structuralSchema } from './structural.ts';

const OPEN = { 'x-kubernetes-preserve-unknown-fields': true };

describe('a structural schema', () => {
  for (const [what, schema, structural] of [
    ['keeps what Kubernetes knows', { type: 'string', pattern: '^a', maxLength: 3, default: 'a' }, undefined],
    [
      'gives a type to a list of words',
      { enum: ['a', 'b'], default: 'a' },
      { type: 'string', enum: ['a', 'b'], default: 'a' },
    ],
    ['has no constants: the kind says what it is', { type: 'string', const: 'Broker' }, { type: 'string' }],
    ['leaves open what may be anything', {}, OPEN],
    ['leaves open an object of which nothing is said', { type: 'object' }, { type: 'object', ...OPEN }],
    [
      'is closed where the object is',
      { type: 'object', additionalProperties: false, properties: { a: { type: 'string' } }, required: ['a'] },
      { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
    ],
    [
      'leaves open what more an object may have',
      { type: 'object', properties: { a: { type: 'string' } }, required: [] },
      { type: 'object', properties: { a: { type: 'string' } }, ...OPEN },
    ],
    [
      'has no rules for the names of entries',
      { type: 'object', propertyNames: { pattern: '^a$' }, additionalProperties: { type: 'string' } },
      { type: 'object', additionalProperties: { type: 'string' } },
    ],
    [
      'takes a text or a number for a quantity',
      { type: ['string', 'number'], minimum: 0 },
      { 'x-kubernetes-int-or-string': true },
    ],
    [
      'says in words what is wanted, and what an absent field becomes',
      { type: 'string', expected: 'a duration', defaulted: 'PT1S' },
      { type: 'string', description: 'A duration. Default: PT1S.' },
    ],
    [
      'takes a field that is called as a keyword for what it is',
      {
        type: 'object',
        additionalProperties: false,
        properties: { default: { type: 'object', additionalProperties: false } },
      },
      { type: 'object', properties: { default: { type: 'object' } } },
    ],
  ] as const) {
    test(what, () => assert.deepEqual(structuralSchema(schema as unknown as JsonSchema), structural ?? schema));
  }

  test('follows a schema that contains itself once', () => {
    const $defs = {
      Filter: {
        type: 'object',
        additionalProperties: false,
        properties: { cesql: { type: 'string' }, not: { $ref: '#/$defs/Filter' } },
      },
    };
    assert.deepEqual(structuralSchema({ type: 'array', items: { $ref: '#/$defs/Filter' }, $defs }), {
      type: 'array',
      items: { type: 'object', properties: { cesql: { type: 'string' }, not: { type: 'object', ...OPEN } } },
    });
  });

  test('is not made of a reference to nowhere', () => {
    assert.throws(() => structuralSchema({ $ref: '#/$defs/Gone' }), TypeError);
  });
});
