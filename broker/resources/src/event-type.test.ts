import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { attributesOfFields, fieldsOfAttributes } from './event-type-attributes.ts';
import { addressableOf } from './event-type.ts';
import { faultsOf, manifestOf, resourceOf, testRefusals } from './testing.ts';

const BY_ATTRIBUTES = 'eventing.knative.dev/v1beta3';
const text = (spec: object) => manifestOf('EventType', spec);
const textByAttributes = (spec: object) => JSON.stringify({ ...JSON.parse(text(spec)), apiVersion: BY_ATTRIBUTES });
const attribute = (name: string, value?: string) => ({ name, required: true, ...(value !== undefined && { value }) });
const NAMED = [attribute('type', 'order'), attribute('source', '/shop'), attribute('specversion'), attribute('id')];

describe('an EventType', () => {
  test('needs no more than a type', () => {
    assert.deepEqual(resourceOf('EventType', text({ type: 'order' })).spec, { type: 'order' });
  });

  test('may say everything, and gives its reference a namespace', () => {
    const spec = {
      type: 'order',
      source: '/shop',
      schema: 'https://example.com/order.json',
      schemaData: '{}',
      reference: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'shop' },
      description: 'An order.',
    };
    const { spec: complete } = resourceOf('EventType', text(spec));
    assert.deepEqual(complete, { ...spec, reference: { ...spec.reference, namespace: 'default' } });
  });

  test('is about its reference, else its broker, else all of its namespace', () => {
    const about = (spec: object) => addressableOf(resourceOf('EventType', text({ type: 'order', ...spec })));
    const reference = { kind: 'Channel', name: 'orders' };
    assert.deepEqual(about({ reference, broker: 'shop' }), { kind: 'Channel', namespace: 'default', name: 'orders' });
    assert.deepEqual(about({ broker: 'shop' }), { kind: 'Broker', namespace: 'default', name: 'shop' });
    assert.equal(about({}), undefined);
  });

  test('of v1beta1 is the same', () => {
    const old = text({ type: 'order', broker: 'shop' }).replace('v1beta2', 'v1beta1');
    assert.deepEqual(resourceOf('EventType', old).spec, { type: 'order', broker: 'shop' });
  });

  test('of v1beta3 says by attributes what is held in fields', () => {
    const schemas = [attribute('dataschema', 'https://example.com/order.json'), attribute('schemaData', '{}')];
    const { apiVersion, spec } = resourceOf('EventType', textByAttributes({ attributes: [...NAMED, ...schemas] }));
    assert.equal(apiVersion, 'eventing.knative.dev/v1beta2');
    assert.deepEqual(spec, {
      type: 'order',
      source: '/shop',
      schema: 'https://example.com/order.json',
      schemaData: '{}',
    });
  });

  test('comes back from fields as the attributes that it was', () => {
    assert.deepEqual(attributesOfFields(fieldsOfAttributes(NAMED)), NAMED);
  });

  testRefusals(
    [
      [{}, 'spec.type: missing field(s): spec.type: expected the type of events, got nothing'],
      [{ type: '' }, 'spec.type: invalid value: "": expected the type of events, got ""'],
      [
        { attributes: NAMED },
        'spec.attributes: expected none in eventing.knative.dev/v1beta2: say spec.type, got a list',
      ],
      [
        { type: 'order', sauce: '/' },
        'spec.sauce: unknown field "spec.sauce": expected one of type, source, schema, schemaData, broker, reference, description, attributes, got "sauce"',
      ],
    ],
    text,
  );

  for (const missing of ['type', 'source', 'specversion', 'id']) {
    test(`of v1beta3 may not leave out ${missing}`, () => {
      const attributes = NAMED.filter(({ name }) => name !== missing);
      const at = `spec.attributes[name=${missing}]`;
      const message = `${at}: missing field(s): ${at}: expected an attribute of this name, got nothing`;
      assert.deepEqual(faultsOf(textByAttributes({ attributes })), [message]);
    });
  }

  test('of v1beta3 needs the value of the type', () => {
    const at = 'spec.attributes[name=type].value';
    const attributes = [attribute('type'), ...NAMED.slice(1)];
    assert.deepEqual(faultsOf(textByAttributes({ attributes })), [
      `${at}: missing field(s): ${at}: expected the type of events, got nothing`,
    ]);
  });
});

describe('annotations about EventTypes', () => {
  for (const kind of ['Broker', 'Channel', 'InMemoryChannel', 'KafkaChannel'] as const) {
    test(`of a ${kind} are among those that are known`, () => {
      const annotated = (name: string, value: string) => manifestOf(kind, {}, { annotations: { [name]: value } });
      assert.deepEqual(faultsOf(annotated('millrace.dev/schema-validation', 'reject')), []);
      assert.deepEqual(faultsOf(annotated('millrace.dev/event-types', 'disabled')), []);
      assert.deepEqual(faultsOf(annotated('millrace.dev/schema-validation', 'drop')), [
        'metadata.annotations["millrace.dev/schema-validation"]: expected "reject" or "dead-letter", got "drop"',
      ]);
    });
  }
});
