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
  readonly output_config?: { readonly format?: { readonly type: string; readonly schema?: Schema } | null };
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

/** What the model says in one message. */
export interface Turn {
  readonly content: readonly Block[];
  /** Without it, `tool_use` when the content uses a tool, else `end_turn`. */
  readonly stop_reason?: string;
  /** Counts that replace those which are made after the length of the texts. */
  readonly usage?: Partial<Usage>;
}

interface Usage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
}

/** A message as the Messages API answers it. */
export interface Message {
  readonly id: string;
  readonly type: 'message';
  readonly role: 'assistant';
  readonly model: string;
  readonly content: readonly Block[];
  readonly stop_reason: string;
  readonly stop_sequence: null;
  readonly usage: Usage;
}

/** Models that think first and so cannot be told to use a tool; see "What's new" of each in Anthropic's documentation. */
const CHOOSES_ITS_TOOLS = /^claude-(?:(?:opus|sonnet)-5-5|(?:fable|mythos)-5-1)$/;

/** The first thing that is wrong with a request, or undefined. */
export function faultOf(request: Partial<MessagesRequest>): string | undefined {
  if (typeof request.model !== 'string') return 'model: Field required';
  if (!Number.isInteger(request.max_tokens) || request.max_tokens! < 1) return 'max_tokens: expected an integer from 1';
  if (!Array.isArray(request.messages) || request.messages.length === 0) return 'messages: at least one is required';
  if (insists(request) && CHOOSES_ITS_TOOLS.test(request.model))
    return 'tool_choice: type "tool" and "any" are not supported for this model.';
  return undefined;
}

/**
 * What the stand-in says to a request, always the same: it uses the tool that the request insists on, else the first
 * that the conversation has not used yet, with an input made after its schema; then it answers in the format that is
 * asked for, else with a text that quotes the last message.
 */
export function turnFor(request: MessagesRequest): Turn {
  const question = textOf(request.messages[0]?.content);
  const tool = toolOf(request);
  if (tool !== undefined) {
    const input = valueOf(tool.input_schema ?? {}, '', question);
    return { content: [{ type: 'tool_use', id: `toolu_${hashOf(request)}`, name: tool.name, input }] };
  }
  const schema = request.output_config?.format?.schema;
  const text =
    schema === undefined
      ? `${LABEL} You said: ${textOf(request.messages.at(-1)?.content).slice(0, 200)}`
      : JSON.stringify(valueOf(schema, '', question));
  return { content: [{ type: 'text', text }] };
}

/** The message that carries a turn. */
export function messageOf(request: MessagesRequest, { content, stop_reason, usage }: Turn): Message {
  return {
    id: `msg_${hashOf(request)}`,
    type: 'message',
    role: 'assistant',
    model: request.model,
    content,
    stop_reason: stop_reason ?? (content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn'),
    stop_sequence: null,
    usage: {
      input_tokens: tokens(JSON.stringify(request.messages)),
      output_tokens: tokens(JSON.stringify(content)),
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
      ...usage,
    },
  };
}

function insists({ tool_choice: choice }: Partial<MessagesRequest>): boolean {
  return choice?.type === 'tool' || choice?.type === 'any';
}

function toolOf(request: MessagesRequest): NonNullable<MessagesRequest['tools']>[number] | undefined {
  const { tools, tool_choice: choice } = request;
  if (choice?.type === 'none') return undefined;
  if (choice?.type === 'tool') return tools?.find(({ name }) => name === choice.name);
  const used = new Set(request.messages.flatMap(({ content }) => blocksOf(content)).map(({ name }) => name));
  return tools?.find(({ name }) => !used.has(name)) ?? (insists(request) ? tools?.[0] : undefined);
}

interface AnyBlock {
  readonly text?: unknown;
  readonly name?: unknown;
  /** Of the result of a tool. */
  readonly content?: unknown;
}

function blocksOf(content: unknown): readonly AnyBlock[] {
  return Array.isArray(content) ? content : [];
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return blocksOf(content)
    .map(({ text, content }) => (typeof text === 'string' ? text : textOf(content)))
    .join('\n');
}

function hashOf(request: MessagesRequest): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex').slice(0, 24);
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
