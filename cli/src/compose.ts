import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';

import { CONTEXT_ATTRIBUTES } from '@millrace/event/attributes';
import { EventFault, makeEvent } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { encodeBinary, encodeStructured } from '@millrace/event/http';
import type { HttpMessage } from '@millrace/event/http';
import { decodeJson, decodeJsonBatch } from '@millrace/event/json';

import { CommandFailure } from './exit-codes.ts';
import { printable } from './view/printable.ts';

export type Mode = 'binary' | 'structured';

/** An event as the command line says it. */
export interface SaidEvent {
  readonly type: string;
  readonly source: string;
  readonly subject?: string;
  /** Default: a random UUID. */
  readonly id?: string;
  readonly time?: string;
  /** The text itself, `@file`, or `-` (also `@-`) for stdin. */
  readonly data?: string;
  /** The data, read already. */
  readonly bytes?: Buffer | undefined;
  /** Default: JSON when the data is JSON, else text, else bytes. */
  readonly contentType?: string;
  /** `name=value` each. */
  readonly ext?: readonly string[];
}

/** A message to post, and the id of its event (of a batch, the first). */
export interface Message extends HttpMessage {
  readonly id: string | undefined;
}

/** As many messages as wanted, alike but for their ids. Rejects with a {@link CommandFailure} that names what is wrong. */
export async function composeMessages(said: SaidEvent, mode: Mode, count: number): Promise<Message[]> {
  const data = said.bytes ?? (said.data === undefined ? undefined : await readData(said.data));
  const attributes = {
    ...extensionsOf(said.ext ?? []),
    specversion: '1.0',
    type: said.type,
    source: said.source,
    subject: said.subject,
    time: said.time,
    datacontenttype: said.contentType ?? (data === undefined ? undefined : contentTypeOf(data)),
  };
  return Array.from({ length: count }, () =>
    messageOf(
      orFailure('', () => makeEvent({ ...attributes, id: said.id ?? randomUUID() }, data)),
      mode,
    ),
  );
}

/** The message of a file that holds an event in the JSON format, or a batch of them. Rejects with a {@link CommandFailure}. */
export async function readMessage(file: string, mode: Mode | undefined): Promise<Message> {
  const bytes = await readBytes(file, '--file');
  const where = `${file}: `;
  if (bytes.toString('utf8', 0, 64).trimStart().startsWith('[')) {
    if (mode === 'binary') throw new CommandFailure('usage', '--mode: a batch goes structured only');
    const [first] = orFailure(where, () => decodeJsonBatch(bytes));
    return { headers: { 'content-type': 'application/cloudevents-batch+json' }, body: bytes, id: first?.id };
  }
  return messageOf(
    orFailure(where, () => decodeJson(bytes)),
    mode ?? 'structured',
  );
}

function messageOf(event: CloudEvent, mode: Mode): Message {
  return { ...(mode === 'binary' ? encodeBinary(event) : encodeStructured(event)), id: event.id };
}

function extensionsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
      if (name === undefined || value === undefined)
        throw new CommandFailure('usage', printable(`--ext: expected name=value, got "${pair}"`));
      if (CONTEXT_ATTRIBUTES.some((it) => it === name))
        throw new CommandFailure(
          'usage',
          `--ext: expected the name of an extension, got "${name}", which has an option of its own`,
        );
      return [name, value];
    }),
  );
}

/** Reads data as the command line says it: the text itself, `@file`, or `-` for stdin. */
export async function readData(said: string): Promise<Buffer> {
  if (said === '-') return readBytes('-', '--data');
  return said.startsWith('@') ? readBytes(said.slice(1), '--data') : Buffer.from(said);
}

async function readBytes(file: string, flag: string): Promise<Buffer> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file);
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    throw new CommandFailure(
      'usage',
      printable(`${flag}: expected a readable file, got ${code ?? message} for "${file}"`),
    );
  }
}

/** JSON when the data is JSON, else text, else bytes. */
export function contentTypeOf(data: Buffer): string {
  if (!isUtf8(data)) return 'application/octet-stream';
  try {
    JSON.parse(data.toString());
    return 'application/json';
  } catch {
    return 'text/plain';
  }
}

function orFailure<T>(where: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof EventFault) throw new CommandFailure('usage', printable(where + error.message));
    throw error;
  }
}
