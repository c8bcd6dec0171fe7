import { badRequest } from './status.ts';

/** A field of a message as it stands on the wire. */
export interface WireField {
  readonly number: number;
  /** Of a field that is counted in bytes; else empty. */
  readonly bytes: Buffer;
  /** Of a varint; else 0. */
  readonly value: bigint;
}

const NOTHING = Buffer.alloc(0);

/** The fields of a message (Protocol Buffers encoding, without groups). Throws a Refusal where it is cut or malformed. */
export function* fieldsOf(message: Buffer): Generator<WireField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw cut();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw cut();
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = Math.floor(tag / 8);
    const sort = tag % 8;
    if (sort === 0) yield { number, bytes: NOTHING, value: varint() };
    else {
      const length = sort === 2 ? Number(varint()) : sort === 1 ? 8 : sort === 5 ? 4 : -1;
      if (length < 0 || at + length > message.length) throw cut();
      yield { number, bytes: message.subarray(at, at + length), value: 0n };
      at += length;
    }
  }
}

function cut() {
  return badRequest('expected whole protobuf messages, got one that is cut or malformed');
}
