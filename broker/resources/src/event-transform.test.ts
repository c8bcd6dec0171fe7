import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultsOf, manifestOf, receiptsOf, resourceOf, testRefusals } from './testing.ts';

const AGENT = { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'agent' } };
const JSONATA = { expression: '{ "specversion": "1.0", "data": $ }' };

const text = (spec: object, metadata?: object) => manifestOf('EventTransform', { jsonata: JSONATA, ...spec }, metadata);

describe('an EventTransform', () => {
  test('needs no more than an expression', () => {
    assert.deepEqual(resourceOf('EventTransform', text({})).spec, { jsonata: JSONATA });
  });

  test('gives its sink its namespace', () => {
    const { spec } = resourceOf('EventTransform', text({ sink: AGENT }, { namespace: 'team' }));
    assert.equal(spec.sink?.ref?.namespace, 'team');
  });

  test('may transform or discard the answer of its sink', () => {
    for (const reply of [{ jsonata: JSONATA }, { discard: true }, { jsonata: JSONATA, discard: false }])
      assert.deepEqual(faultsOf(text({ sink: AGENT, reply })), [], JSON.stringify(reply));
  });

  test('that does neither passes the answer, and it is told', () => {
    for (const reply of [{}, { discard: false }]) {
      assert.deepEqual(receiptsOf(text({ sink: AGENT, reply })), [
        'spec.reply has neither jsonata nor discard: the answer of the sink passes as it is',
      ]);
    }
  });

  testRefusals(
    [
      [
        { jsonata: undefined },
        'spec.jsonata: missing field(s): spec.jsonata: expected an object with an expression, got nothing',
      ],
      [
        { jsonata: {} },
        'spec.jsonata.expression: missing field(s): spec.jsonata.expression: expected a JSONata expression, got nothing',
      ],
      [
        { jsonata: { expression: '' } },
        'spec.jsonata.expression: invalid value: "": expected a JSONata expression, got ""',
      ],
      [
        { reply: { discard: true } },
        'spec.reply: reply is set without spec.sink: expected a sink beside it, whose answer it is about, got none',
      ],
      [
        { sink: AGENT, reply: { jsonata: JSONATA, discard: true } },
        'spec.reply.discard: expected exactly one, got both: spec.reply.jsonata, spec.reply.discard: expected jsonata or discard, got both',
      ],
      [
        { sink: { ...AGENT, CACerts: '-----BEGIN CERTIFICATE-----' } },
        'spec.sink.CACerts: CACerts for the sink is not supported for JSONata transformations: expected none, got certificates',
      ],
      [{ sink: {} }, 'spec.sink: expected at least one, got none: ref, uri: expected a ref or a uri, got neither'],
    ],
    text,
  );
});
