import { createHash } from 'node:crypto';

/** Every text that the stand-in says begins with this, so that nobody takes it for a model's. */
export const LABEL = '[stand-in model]';

/** The part of a Messages API request that the stand-in reads. */
export interface MessagesRequest {
  readonly model: string;
  readonly max_tokens: number;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  readonly tools?: readonly { readonly name: string; readonly input_schema?: Schema }[];
  readonly tool_choice?: { readonly type: string; readonly name?: string };
  readonly stream?: boolean;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly minimum?: number;
}

export type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown };

/** A message as the Messages API answers it. */
export interface Message {
  readonly id: string;
  readonly type: 'message';
  readonly role: 'assistant';
  readonly model: string;
  readonly content: readonly Block[];
  readonly stop_reason: 'end_turn' | 'tool_use';
  readonly stop_sequence: null;
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
}

/** The first thing that is wrong with a request, or undefined. */
export function faultOf(request: Partial<MessagesRequest>): string | undefined {
  if (typeof request.model !== 'string') return 'model: Field required';
  if (!Number.isInteger(request.max_tokens) || request.max_tokens! < 1) return 'max_tokens: expected an integer from 1';
  if (!Array.isArray(request.messages) || request.messages.length === 0) return 'messages: at least one is required';
  return undefined;
}

/**
 * Answers a request, always the same way: a tool that the request insists on is used, with an input made after its
 * schema; anything else gets a text that quotes the last message.
 */
export function answerTo(request: MessagesRequest): Message {
  const hash = createHash('sha256').update(JSON.stringify(request)).digest('hex').slice(0, 24);
  const asked = textOf(request.messages.at(-1)?.content);
  const tool = toolOf(request);
  const block: Block =
    tool === undefined
      ? { type: 'text', text: `${LABEL} You said: ${asked.slice(0, 200)}` }
      : { type: 'tool_use', id: `toolu_${hash}`, name: tool.name, input: valueOf(tool.input_schema ?? {}, '', asked) };
  return {
    id: `msg_${hash}`,
    type: 'message',
    role: 'assistant',
    model: request.model,
    content: [block],
    stop_reason: tool === undefined ? 'end_turn' : 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: tokens(JSON.stringify(request.messages)), output_tokens: tokens(JSON.stringify(block)) },
  };
}

function toolOf(request: MessagesRequest): { name: string; input_schema?: Schema } | undefined {
  const choice = request.tool_choice;
  if (choice?.type === 'tool') return request.tools?.find((tool) => tool.name === choice.name);
  return choice?.type === 'any' ? request.tools?.[0] : undefined;
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((block: { text?: unknown }) => (typeof block.text === 'string' ? block.text : '')).join('\n');
}

/** A value that fits the schema. Of an enum, the first that the question speaks of, else the first. */
function valueOf(schema: Schema, name: string, asked: string): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) {
    return schema.enum.find((value) => asked.toLowerCase().includes(String(value).toLowerCase())) ?? schema.enum[0];
  }
  const properties = Object.entries(schema.properties ?? {});
  switch (Array.isArray(schema.type) ? schema.type[0] : (schema.type as string | undefined)) {
    case 'string':
      return `${LABEL} ${name}`.trimEnd();
    case 'integer':
    case 'number':
      return schema.minimum ?? 0;
    case 'boolean':
      return false;
    case 'null':
      return null;
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => valueOf(schema.items ?? {}, name, asked));
    default:
      return Object.fromEntries(properties.map(([key, part]) => [key, valueOf(part, key, asked)]));
  }
}

function tokens(text: string): number {
  return Math.ceil(text.length / 4);
}
