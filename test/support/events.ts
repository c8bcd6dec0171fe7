import { randomUUID } from 'node:crypto';

/** What to send; absent attributes get values of their own. */
export interface Outgoing {
  readonly id?: string;
  readonly type?: string;
  readonly source?: string;
  readonly data?: string | Uint8Array;
  readonly contentType?: string;
  readonly extensions?: Record<string, string>;
  readonly headers?: Record<string, string>;
}

/** Posts an event in binary mode. */
export function post(url: string, event: Outgoing): Promise<Response> {
  const {
    id = randomUUID(),
    type = 'com.example.test',
    source = '/test',
    data,
    contentType = 'application/json',
    extensions = {},
    headers = {},
  } = event;
  const attributes = Object.fromEntries(
    Object.entries({ specversion: '1.0', id, type, source, ...extensions }).map(([name, value]) => [
      `ce-${name}`,
      value,
    ]),
  );
  return fetch(url, {
    method: 'POST',
    headers: { ...attributes, ...headers, ...(data === undefined ? {} : { 'content-type': contentType }) },
    body: data as string | undefined,
  });
}
