import { randomUUID } from 'node:crypto';

import { EventFault, makeEvent, withExtensions } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { decodeMessage } from '@millrace/event/http';
import type { WebRequest } from '@millrace/event/source';
import { isTemplateFault, parseTemplate } from '@millrace/resources/template';
import type { Template } from '@millrace/resources/template';

import { readBody } from './body.ts';
import { fillIn } from './template.ts';
import type { TemplateInput } from './template.ts';

/** How a request becomes an event; each text is a template, see {@link parseTemplate}. */
export interface EventTemplates {
  /** Default `dev.millrace.webhook`. */
  readonly type?: string | undefined;
  /** Default `/apis/v1/namespaces/<namespace>/webhooksources/<name>`. */
  readonly source?: string | undefined;
  /** Default none. */
  readonly subject?: string | undefined;
  /** Default the sender's id of the message where it is signed, else a random UUID. */
  readonly id?: string | undefined;
  readonly extensions?: Readonly<Record<string, string>> | undefined;
}

/** What of a request its events are made of. */
export interface IncomingMessage extends WebRequest {
  /** By lower-case name. */
  readonly header: (name: string) => string | undefined;
  /** The id that the sender signed, if it did. */
  readonly id: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Makes the mapping from requests to events. Throws an {@link EventFault} that names the template that cannot be read.
 *
 * A request that is an event already (or a batch of them) passes as it is, as a Kafka record does: its sender has said
 * what it is, and templates are for senders that have not. Only `extensions` are set over it.
 *
 * The mapping throws an {@link EventFault} that names the attribute when a required one comes out empty or malformed;
 * an optional one that comes out empty is left out.
 */
export function createMapping(
  templates: EventTemplates,
  defaultSource: string,
  extensions: Readonly<Record<string, string>>,
): (message: IncomingMessage) => CloudEvent[] {
  const type = readTemplate('type', templates.type ?? 'dev.millrace.webhook');
  const source = templates.source === undefined ? [{ text: defaultSource }] : readTemplate('source', templates.source);
  const subject = readTemplate('subject', templates.subject ?? '');
  const id = templates.id === undefined ? undefined : readTemplate('id', templates.id);
  const extra = Object.entries(templates.extensions ?? {}).map(
    ([name, text]) => [name, readTemplate(`extensions.${name}`, text)] as const,
  );

  return (message) => {
    const events = decodeMessage(message.rawHeaders, message.body) ?? [describe(message)];
    return events.map((event) => withExtensions(event, extensions));
  };

  function describe(message: IncomingMessage): CloudEvent {
    const contentType = message.header('content-type');
    const query = new URLSearchParams(/\?(.*)$/s.exec(message.url)?.[1]);
    const input: TemplateInput = {
      headers: ([name = '']) => message.header(name),
      query: ([name = '']) => query.get(name) ?? undefined,
      body: readBody(contentType, message.body),
    };
    const attributes = {
      ...Object.fromEntries(extra.map(([name, template]) => [name, fillIn(template, input) || undefined])),
      specversion: '1.0',
      id: id === undefined ? (message.id ?? randomUUID()) : filled('id', id, input),
      source: filled('source', source, input),
      type: filled('type', type, input),
      subject: fillIn(subject, input) || undefined,
      time: new Date(message.now).toISOString(),
      datacontenttype: contentType || undefined,
    };
    return makeEvent(attributes, message.body.byteLength === 0 ? undefined : message.body);
  }
}

function readTemplate(place: string, text: string): Template {
  const parsed = parseTemplate(text);
  if (!isTemplateFault(parsed)) return parsed;
  throw new EventFault(`event.${place}`, `${parsed.expected} at character ${parsed.offset + 1}`, text);
}

function filled(attribute: string, template: Template, input: TemplateInput): string {
  const text = fillIn(template, input);
  if (text.trim() === '') throw new EventFault(attribute, 'text from its template', text);
  return text;
}
