import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { KINDS, schemaOf } from './kinds.ts';
import type { KindName } from './kinds.ts';
import { triggerText } from './testing.ts';

describe('the schema of a kind', () => {
  for (const kind of Object.keys(KINDS) as KindName[]) {
    test(`${kind}: is plain JSON that any validator takes`, () => {
      const schema = schemaOf(kind);
      assert.deepEqual(JSON.parse(JSON.stringify(schema)), schema);
      const validate = new Ajv2020({ strict: false }).compile(schema);
      assert.equal(validate({ apiVersion: 'other/v1', kind, metadata: { name: 'a' } }), false);
    });
  }

  test('does not require what has a default', () => {
    const validate = new Ajv2020({ strict: false }).compile(schemaOf('Trigger'));
    assert.equal(validate(JSON.parse(triggerText({ filters: [{ all: [{ exact: { type: 'a' } }] }] }))), true);
    assert.equal(validate(JSON.parse(triggerText({ filters: [{ all: [{ exact: { type: '' } }] }] }))), false);
  });

  test('says the defaults', () => {
    const { properties } = schemaOf('KafkaSource') as unknown as {
      properties: { spec: { properties: Record<string, object> } };
    };
    assert.deepEqual(properties.spec.properties['consumers'], {
      type: 'integer',
      minimum: 0,
      default: 1,
      expected: 'an integer >= 0',
    });
  });

  test('belongs to who asked for it', () => {
    Object.assign(schemaOf('Broker'), { properties: {} });
    assert.notDeepEqual((schemaOf('Broker') as { properties?: object }).properties, {});
  });
});
