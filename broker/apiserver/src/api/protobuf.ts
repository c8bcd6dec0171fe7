import { badRequest } from './status.ts';

/** What stands in a field of a message, by the number of the field. */
interface Field {
  readonly name: string;
  readonly type: 'text' | 'base64' | 'integer' | 'boolean' | 'time' | 'texts' | 'base64s' | Message;
  readonly repeated?: true;
}

/** The fields of a message by number. Those that are not named here are passed over. */
type Message = Readonly<Record<number, Field>>;

const TIME: Message = { 1: { name: 'seconds', type: 'integer' } };

const OWNER: Message = {
  1: { name: 'kind', type: 'text' },
  3: { name: 'name', type: 'text' },
  4: { name: 'uid', type: 'text' },
  5: { name: 'apiVersion', type: 'text' },
  6: { name: 'controller', type: 'boolean' },
  7: { name: 'blockOwnerDeletion', type: 'boolean' },
};

const METADATA: Message = {
  1: { name: 'name', type: 'text' },
  2: { name: 'generateName', type: 'text' },
  3: { name: 'namespace', type: 'text' },
  5: { name: 'uid', type: 'text' },
  6: { name: 'resourceVersion', type: 'text' },
  7: { name: 'generation', type: 'integer' },
  8: { name: 'creationTimestamp', type: 'time' },
  11: { name: 'labels', type: 'texts' },
  12: { name: 'annotations', type: 'texts' },
  13: { name: 'ownerReferences', type: OWNER, repeated: true },
  14: { name: 'finalizers', type: 'text', repeated: true },
};

const metadata: Message = { 1: { name: 'metadata', type: METADATA } };
const NAMED: Message = { 1: { name: 'name', type: 'text' } };

/** What kubectl sends in protobuf, by kind (the numbers are those of k8s.io/api's generated.proto). */
const MESSAGES: Readonly<Record<string, Message>> = {
  Namespace: {
    ...metadata,
    2: { name: 'spec', type: { 1: { name: 'finalizers', type: 'text', repeated: true } } },
  },
  ConfigMap: {
    ...metadata,
    2: { name: 'data', type: 'texts' },
    3: { name: 'binaryData', type: 'base64s' },
    4: { name: 'immutable', type: 'boolean' },
  },
  Secret: {
    ...metadata,
    2: { name: 'data', type: 'base64s' },
    3: { name: 'type', type: 'text' },
    4: { name: 'stringData', type: 'texts' },
    5: { name: 'immutable', type: 'boolean' },
  },
  ServiceAccount: {
    ...metadata,
    2: { name: 'secrets', type: { 3: { name: 'name', type: 'text' } }, repeated: true },
    3: { name: 'imagePullSecrets', type: NAMED, repeated: true },
    4: { name: 'automountServiceAccountToken', type: 'boolean' },
  },
  SelfSubjectAccessReview: {
    ...metadata,
    2: {
      name: 'spec',
      type: {
        1: {
          name: 'resourceAttributes',
          type: {
            1: { name: 'namespace', type: 'text' },
            2: { name: 'verb', type: 'text' },
            3: { name: 'group', type: 'text' },
            4: { name: 'version', type: 'text' },
            5: { name: 'resource', type: 'text' },
            6: { name: 'subresource', type: 'text' },
            7: { name: 'name', type: 'text' },
          },
        },
        2: {
          name: 'nonResourceAttributes',
          type: { 1: { name: 'path', type: 'text' }, 2: { name: 'verb', type: 'text' } },
        },
      },
    },
  },
  SelfSubjectRulesReview: { ...metadata, 2: { name: 'spec', type: { 1: { name: 'namespace', type: 'text' } } } },
  SelfSubjectReview: metadata,
  DeleteOptions: {
    1: { name: 'gracePeriodSeconds', type: 'integer' },
    2: {
      name: 'preconditions',
      type: { 1: { name: 'uid', type: 'text' }, 2: { name: 'resourceVersion', type: 'text' } },
    },
    3: { name: 'orphanDependents', type: 'boolean' },
    4: { name: 'propagationPolicy', type: 'text' },
    5: { name: 'dryRun', type: 'text', repeated: true },
  },
};

const MAGIC = Buffer.from('k8s\0');

/**
 * An object as Kubernetes' own clients send it (`application/vnd.kubernetes.protobuf`), as plain JSON. Empty texts are
 * left out, as Go does it. Throws a Refusal for a kind that nobody sends so, and for what cannot be read.
 */
export function decodeProtobuf(body: Buffer): Record<string, unknown> {
  if (!body.subarray(0, 4).equals(MAGIC)) throw badRequest('expected protobuf that begins with "k8s" and a zero byte');
  let apiVersion = '';
  let kind = '';
  let raw: Buffer = Buffer.alloc(0);
  for (const { number, bytes } of fieldsOf(body.subarray(4))) {
    if (number === 1) {
      for (const part of fieldsOf(bytes)) {
        if (part.number === 1) apiVersion = part.bytes.toString();
        if (part.number === 2) kind = part.bytes.toString();
      }
    } else if (number === 2) raw = bytes;
  }
  const message = Object.hasOwn(MESSAGES, kind) ? MESSAGES[kind] : undefined;
  if (message === undefined) throw badRequest(`no ${JSON.stringify(kind)} is read from protobuf here: send JSON`);
  return { apiVersion, kind, ...read(raw, message) };
}

function read(bytes: Buffer, message: Message): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const { number, bytes: content, value } of fieldsOf(bytes)) {
    const field = message[number];
    if (field === undefined) continue;
    const { name, type, repeated } = field;
    if (type === 'texts' || type === 'base64s') {
      const entries = (object[name] ??= {}) as Record<string, string>;
      const [key, text] = entryOf(content, type === 'texts' ? 'utf8' : 'base64');
      Object.defineProperty(entries, key, { value: text, enumerable: true, configurable: true, writable: true });
      continue;
    }
    const found = typeof type === 'object' ? read(content, type) : scalar(type, content, value);
    if (repeated === true) ((object[name] ??= []) as unknown[]).push(found);
    else if (found !== undefined && found !== '') object[name] = found;
  }
  return object;
}

function scalar(type: Exclude<Field['type'], Message>, bytes: Buffer, value: bigint): unknown {
  if (type === 'text') return bytes.toString('utf8');
  if (type === 'base64') return bytes.toString('base64');
  if (type === 'boolean') return value !== 0n;
  if (type === 'integer') return Number(BigInt.asIntN(64, value));
  const { seconds } = read(bytes, TIME);
  // Go's zero time is what is sent for none.
  return typeof seconds === 'number' && seconds > 0
    ? new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
    : undefined;
}

function entryOf(bytes: Buffer, encoding: BufferEncoding): [key: string, value: string] {
  let [key, value] = ['', ''];
  for (const part of fieldsOf(bytes)) {
    if (part.number === 1) key = part.bytes.toString('utf8');
    if (part.number === 2) value = part.bytes.toString(encoding);
  }
  return [key, value];
}

interface WireField {
  readonly number: number;
  /** Of a field that is counted in bytes; else empty. */
  readonly bytes: Buffer;
  /** Of a varint; else 0. */
  readonly value: bigint;
}

const NOTHING = Buffer.alloc(0);

/** The fields of a message as they stand on the wire (Protocol Buffers encoding, without groups). */
function* fieldsOf(message: Buffer): Generator<WireField> {
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
