import { STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';

import { printable } from './printable.ts';

/** What came back from a function, on a line: `200 OK in 23 ms, cold, ticket-agent-00002, instance 4`. */
export function answerLine({ statusCode = 0, headers }: IncomingMessage, milliseconds: number): string {
  const { 'millrace-start': start, 'millrace-revision': revision, 'millrace-instance': instance } = headers;
  const parts = [
    `${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trimEnd() + ` in ${Math.round(milliseconds)} ms`,
    start,
    revision,
    instance === undefined ? undefined : `instance ${String(instance)}`,
    headers['ce-type'] === undefined ? undefined : `an event ${String(headers['ce-type'])}`,
  ];
  return printable(parts.filter((it) => it !== undefined).join(', '));
}
