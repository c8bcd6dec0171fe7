import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatBytes, parseQuantity } from './quantity.ts';
import { formatFault, readManifest } from './manifest.ts';

describe('a quantity', () => {
  for (const [quantity, value] of [
    ['512Mi', 536_870_912],
    ['1Gi', 1_073_741_824],
    ['128M', 128_000_000],
    ['1e9', 1e9],
    ['1E3', 1000],
    ['1E', 1e18],
    ['1e-3', 0.001],
    ['500m', 0.5],
    ['100m', 0.1],
    ['250u', 0.000_25],
    ['0.5', 0.5],
    ['.5', 0.5],
    ['2.', 2],
    ['+2', 2],
    ['-1', -1],
    ['1.5Ki', 1536],
    ['1k', 1000],
    [2, 2],
    [1e9, 1e9],
    [1e21, 1e21],
  ] as const) {
    test(`${JSON.stringify(quantity)} is ${value}`, () => assert.equal(parseQuantity(quantity), value));
  }

  for (const text of ['', 'Mi', '1K', '1ki', '512MB', '1 Gi', '1e', 'e3', '.', '0x10', 'Infinity', '1e999', NaN]) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseQuantity(text), undefined));
  }

  for (const [wrong, meant] of [
    ['512MB', '"512M"'],
    ['512 Mi', '"512Mi"'],
    ['512mi', '"512Mi"'],
    ['512m', '"512Mi"'],
    ['1gb', '"1G"'],
    ['64K', '"64k"'],
    ['lots', undefined],
  ] as const) {
    test(`of memory that reads ${JSON.stringify(wrong)} is refused, ${meant ?? 'nothing'} was meant`, () => {
      const containers = [{ image: 'a', resources: { limits: { memory: wrong } } }];
      const spec = { template: { spec: { containers } } };
      const metadata = { name: 'agent' };
      const text = JSON.stringify({ apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata, spec });
      const { faults } = readManifest(text, 'a.yaml');
      assert.deepEqual(
        faults.map((fault) => fault.suggestion),
        [meant],
        faults.map(formatFault).join(),
      );
    });
  }

  test('of bytes is written in the largest unit that fits', () => {
    assert.deepEqual([536_870_912, 128_000_000, 1_073_741_824, 1000, 1023, 0].map(formatBytes), [
      '512Mi',
      '128M',
      '1Gi',
      '1k',
      '1023',
      '0',
    ]);
  });
});
