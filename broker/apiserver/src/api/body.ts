import type { IncomingMessage } from 'node:http';

import { readDocuments } from '@millrace/resources/document';

import { isRecord } from './json.ts';
import type { JsonRecord } from './json.ts';
import { decodeProtobuf } from './protobuf.ts';
import { badRequest, tooLarge, unsupportedMediaType } from './status.ts';

/** Kubernetes takes no larger ones either. */
const MAX_BODY = 3 * 1024 * 1024;

/** Resolves with the whole body; rejects with a Refusal when it is too large. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw tooLarge(MAX_BODY);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The type of the body without its parameters; '' when nothing is said. */
export function mediaTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
}

const JSON_TYPES = new Set(['', 'application/json', '*/*']);
const YAML_TYPES = new Set(['application/yaml', 'text/yaml', 'application/x-yaml', 'application/apply-patch+yaml']);
const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** An object in JSON, YAML or protobuf. Throws a Refusal for other types, and for what is none. */
export function decodeObject(body: Buffer, mediaType: string): JsonRecord {
  if (mediaType === PROTOBUF) return decodeProtobuf(body);
  const isYaml = YAML_TYPES.has(mediaType);
  if (!isYaml && !JSON_TYPES.has(mediaType)) {
    throw unsupportedMediaType(['application/json', 'application/yaml', PROTOBUF]);
  }
  const value = isYaml ? decodeYaml(body) : decodeJson(body);
  if (!isRecord(value)) throw badRequest('expected an object in the body of the request');
  return value;
}

/** Any JSON value. */
export function decodeJson(body: Buffer): unknown {
  const value = parse(body);
  if (!isOfRealDepth(value))
    throw badRequest(`expected JSON of at most ${MAX_DEPTH} levels in the body of the request`);
  return value;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // What JSON.parse says quotes the text, which may be a secret.
    throw badRequest('expected JSON in the body of the request, got something that cannot be parsed');
  }
}

/** What comes after goes by recursion. Real objects have some twenty levels. */
const MAX_DEPTH = 200;

function isOfRealDepth(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return false;
    level = level.flatMap((inner) => (typeof inner === 'object' && inner !== null ? Object.values(inner) : []));
  }
  return true;
}

function decodeYaml(body: Buffer): unknown {
  const { documents, faults } = readDocuments(body.toString('utf8'), 'body');
  const [fault] = faults;
  if (fault !== undefined) {
    const { line, column } = fault.place;
    throw badRequest(`error parsing YAML: line ${line}, column ${column}: ${fault.message}`);
  }
  if (documents.length !== 1) throw badRequest(`expected one YAML document, got ${documents.length}`);
  return documents[0]!.value;
}
