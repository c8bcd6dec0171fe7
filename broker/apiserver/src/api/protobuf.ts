import { MESSAGES, TIME } from './protobuf-messages.ts';
import type { Field, Message } from './protobuf-messages.ts';
import { fieldsOf } from './protobuf-wire.ts';
import { badRequest } from './status.ts';

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
