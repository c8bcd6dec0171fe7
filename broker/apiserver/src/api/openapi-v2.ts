/** What an OpenAPI 2 document is sent as. */
export const OPENAPI_V2_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/**
 * An OpenAPI 2 document without any path. kubectl reads everything from version 3; it asks for version 2 (and only in
 * protobuf, message openapi.v2.Document) about kinds that version 3 does not have, and would give up without an answer
 * where it now says that there is no such kind.
 */
export function emptyOpenApiV2(): Buffer {
  const info = Buffer.concat([text(1, 'Millrace'), text(2, 'v1')]);
  return Buffer.concat([text(1, '2.0'), message(2, info), message(8, Buffer.alloc(0))]);
}

function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value));
}

/** A field that is counted in bytes; all of ours are shorter than 128. */
function message(field: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([field * 8 + 2, content.length]), content]);
}
