import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { traceOptionsFrom } from './trace-options.ts';

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';

describe('the configuration of traces', () => {
  test('is none where nothing is said, or said to be off', () => {
    assert.equal(traceOptionsFrom({}), undefined);
    assert.equal(traceOptionsFrom({ [ENDPOINT]: ' ' }), undefined);
    assert.equal(traceOptionsFrom({ [ENDPOINT]: 'http://c:4318', OTEL_SDK_DISABLED: 'TRUE' }), undefined);
    assert.equal(traceOptionsFrom({ [ENDPOINT]: 'http://c:4318', OTEL_TRACES_EXPORTER: 'none' }), undefined);
  });

  test('puts the path of traces behind the endpoint of all signals', () => {
    for (const endpoint of ['http://c:4318', 'http://c:4318/']) {
      assert.deepEqual(traceOptionsFrom({ [ENDPOINT]: endpoint }), {
        endpoint: 'http://c:4318/v1/traces',
        headers: {},
        serviceName: 'millrace',
      });
    }
    assert.equal(traceOptionsFrom({ [ENDPOINT]: 'https://c/otlp/' })?.endpoint, 'https://c/otlp/v1/traces');
  });

  test('takes what is said for traces before what is said for all, and its endpoint as it stands', () => {
    const options = traceOptionsFrom({
      [ENDPOINT]: 'http://all:4318',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:4318/here',
      OTEL_EXPORTER_OTLP_HEADERS: 'a=all',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'a=traces, b = x%20y=z,broken,c=%',
    });
    assert.equal(options?.endpoint, 'http://traces:4318/here');
    assert.deepEqual(options?.headers, { a: 'traces', b: 'x y=z', c: '%' });
  });

  test('takes the name of the service from its own variable, or from the attributes', () => {
    const nameOf = (more: Record<string, string>) => traceOptionsFrom({ [ENDPOINT]: 'http://c', ...more })?.serviceName;
    const OTEL_RESOURCE_ATTRIBUTES = 'deployment=x,service.name=from-attributes';
    assert.equal(nameOf({ OTEL_RESOURCE_ATTRIBUTES }), 'from-attributes');
    assert.equal(nameOf({ OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME: 'own' }), 'own');
  });

  test('says what it cannot read, and shows no password', () => {
    assert.throws(
      () => traceOptionsFrom({ [ENDPOINT]: 'grpc://bob:s3cret@c:4317' }),
      (error: Error) => {
        assert.match(error.message, /OTEL_EXPORTER_OTLP_ENDPOINT: expected a URL .*, got "grpc:\/\/\*\*\*@c:4317"/);
        return true;
      },
    );
    assert.throws(() => traceOptionsFrom({ [ENDPOINT]: 'c:4318' }), /expected a URL/);
    assert.throws(
      () => traceOptionsFrom({ [ENDPOINT]: 'http://c', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }),
      /expected one of http\/json, http\/protobuf, got "grpc"/,
    );
  });
});
