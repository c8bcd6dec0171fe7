import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { decodeProtobuf } from './protobuf.ts';
import { Refusal } from './status.ts';

/** A field that is counted in bytes. */
function field(number: number, ...parts: (string | Buffer)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  assert.ok(content.length < 128);
  return Buffer.concat([Buffer.from([number * 8 + 2, content.length]), content]);
}

function envelope(kind: string, ...parts: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from('k8s\0'), field(1, field(1, 'v1'), field(2, kind)), field(2, ...parts)]);
}

test('a Secret is read with its data as base64, and without what is empty', () => {
  const metadata = field(
    1,
    field(1, 's'),
    field(2, ''),
    field(3, 'shop'),
    field(11, field(1, 'a'), field(2, 'b')),
    field(8),
  );
  const data = field(2, field(1, 'word'), field(2, Buffer.from([0, 255])));
  const secret = envelope('Secret', metadata, data, field(3, 'Opaque'), Buffer.from([5 * 8, 1]));
  assert.deepEqual(decodeProtobuf(secret), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 'shop', labels: { a: 'b' } },
    data: { word: 'AP8=' },
    type: 'Opaque',
    immutable: true,
  });
});

test('unknown fields of every sort are passed over', () => {
  const unknown = Buffer.concat([
    Buffer.from([120, 0x96, 1]),
    Buffer.from([121, 1, 2, 3, 4, 5, 6, 7, 8]),
    Buffer.from([125, 1, 2, 3, 4]),
  ]);
  const namespace = envelope('Namespace', field(1, field(1, 'n'), unknown), unknown);
  assert.deepEqual(decodeProtobuf(namespace), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } });
});

test('other kinds, other bytes and cut messages are refused, and nothing else is thrown', () => {
  assert.throws(() => decodeProtobuf(Buffer.from('{}')), /begins with "k8s"/);
  assert.throws(() => decodeProtobuf(envelope('Pod')), /no "Pod" is read from protobuf here: send JSON/);
  assert.throws(() => decodeProtobuf(envelope('toString')), /no "toString"/);
  const whole = envelope('ConfigMap', field(1, field(1, 'c')), field(2, field(1, 'a'), field(2, 'b')));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), fc.boolean(), (at, byte, cuts) => {
      const bytes = Buffer.from(whole);
      bytes[at] = byte;
      try {
        decodeProtobuf(cuts ? bytes.subarray(0, at) : bytes);
      } catch (error) {
        assert.ok(error instanceof Refusal, String(error));
      }
    }),
  );
});
