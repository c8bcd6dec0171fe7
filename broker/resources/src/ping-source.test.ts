import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultsOf, manifestOf, resourceOf, testRefusals } from './testing.ts';

const text = (spec: object = {}, metadata?: object) =>
  manifestOf('PingSource', { sink: { uri: 'http://agent' }, ...spec }, metadata);
const base64 = (of: string) => Buffer.from(of).toString('base64');

describe('a PingSource', () => {
  test('pings every minute unless it says when', () => {
    assert.deepEqual(resourceOf('PingSource', text()).spec, { schedule: '* * * * *', sink: { uri: 'http://agent' } });
  });

  test('means the same in v1beta2', () => {
    const old = text().replace('sources.knative.dev/v1', 'sources.knative.dev/v1beta2');
    assert.deepEqual(resourceOf('PingSource', old).spec, resourceOf('PingSource', text()).spec);
  });

  test('gives the reference of its sink its namespace', () => {
    const ref = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' };
    const { sink } = resourceOf('PingSource', text({ sink: { ref } }, { namespace: 'team' })).spec;
    assert.deepEqual(sink.ref, { ...ref, namespace: 'team' });
  });

  for (const spec of [
    { schedule: '*/5 * * * *', timezone: 'Europe/Berlin' },
    { schedule: '30 0 12 * * mon-fri' },
    { schedule: '@hourly' },
    { contentType: 'application/json', data: '{"a":1}' },
    { contentType: 'application/json', data: 'null' },
    { contentType: 'application/json', dataBase64: base64('{"a":1}') },
    { contentType: 'application/json; charset=utf-8', data: '[1]' },
    { contentType: 'text/plain', data: 'no JSON' },
    { data: '', dataBase64: base64('x') },
    { dataBase64: 'aGVs\nbG8=' },
    { ceOverrides: { extensions: { team: 'blue' } } },
  ]) {
    test(`may have ${JSON.stringify(spec)}`, () => assert.deepEqual(faultsOf(text(spec)), []));
  }

  const fields = 'expected five fields of cron (or six, seconds first), or @hourly, @daily, @weekly, @monthly, @yearly';
  const object = 'expected a JSON object, as contentType is "application/json"';
  testRefusals(
    [
      [
        { schedule: '@every 1m' },
        `spec.schedule: invalid value: unsupported descriptor @every: ${fields}, got "@every 1m"`,
      ],
      [
        { schedule: '60 * * * *' },
        `spec.schedule: invalid value: end of range (60) above maximum (59): 60: ${fields}, got "60 * * * *"`,
      ],
      [
        { timezone: 'Moon/Dark' },
        'spec.timezone: invalid value: provided bad location Moon/Dark: unknown time zone Moon/Dark: expected the name of a time zone, such as "Europe/Berlin", got "Moon/Dark"',
      ],
      [
        { data: 'a', dataBase64: 'YQ==' },
        'spec.dataBase64: expected exactly one, got both: spec.data, spec.dataBase64: expected data or dataBase64, got both',
      ],
      [
        { dataBase64: 'a*' },
        'spec.dataBase64: invalid value: illegal base64 data: expected base64 with its padding, got "a*"',
      ],
      ...['[1]', '"a"', '1', '{'].map((data): [object, string] => [
        { contentType: 'application/json', data },
        `spec.data: invalid value: the data is no JSON object: ${object}, got ${JSON.stringify(data)}`,
      ]),
      [
        { contentType: 'application/json', dataBase64: base64('[1]') },
        `spec.dataBase64: invalid value: the data is no JSON object: ${object}, got "WzFd"`,
      ],
      [
        { sink: undefined },
        'spec.sink: missing field(s): spec.sink: expected a destination: an object with ref or uri, got nothing',
      ],
      [
        { ceOverrides: { extensions: { Team: 'a' } } },
        'spec.ceOverrides.extensions.Team: invalid key name "Team": expected the name of an extension: lower-case letters and digits, got "Team"',
      ],
      [
        { jsonData: '{}' },
        'spec.jsonData: unknown field "spec.jsonData": expected one of schedule, timezone, contentType, data, dataBase64, sink, ceOverrides, got "jsonData"',
      ],
    ],
    text,
  );
});
