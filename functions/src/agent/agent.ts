import type { FunctionContext, FunctionEvent } from '../author.ts';
import { askModel } from './ask.ts';
import type { ModelResult } from './ask.ts';
import type { ModelRequest } from './request.ts';
import { usageExtensions } from './spent.ts';

export { askModel, streamModel } from './ask.ts';
export type { ModelResult } from './ask.ts';
export type { Price, Prices } from './prices.ts';
export { DEFAULT_MODEL } from './request.ts';
export type { ModelRequest } from './request.ts';
export type { AgentTool, ToolCall } from './tools.ts';
export type { ModelCaller } from './turn.ts';
export { usageExtensions } from './spent.ts';
export { USAGE_EXTENSIONS } from './usage.ts';
export type { Usage } from './usage.ts';

/** The attributes and the data of a reply; what is not said is filled in. */
export type ReplyFields = Record<string, unknown>;

/** What an agent is made of; what it shares with {@link ModelRequest} is said there. */
export interface AgentOptions extends Omit<ModelRequest, 'prompt'> {
  /** What to ask about an event. Default: its data, as text or JSON. */
  readonly prompt?: (
    event: FunctionEvent,
    context: FunctionContext,
  ) => ModelRequest['prompt'] | Promise<ModelRequest['prompt']>;
  /**
   * What the reply has instead of the default, or what it makes of the answer; nothing is no reply. Default: type
   * `<type of the event>.answered`, the subject of the event or else its id, and the answer as data.
   */
  readonly reply?: ReplyFields | ((event: FunctionEvent, result: ModelResult) => Reply | Promise<Reply>);
}

type Reply = ReplyFields | null | undefined;

/**
 * A function that asks a model about each event and replies with what it answers. The reply carries what that cost, as
 * the extensions of {@link USAGE_EXTENSIONS}. Fails as {@link askModel} does.
 *
 *     export default agent({ system: 'Answer in one sentence.', reply: { type: 'com.example.answered' } });
 */
export function agent(
  options: AgentOptions,
): (event: FunctionEvent, context: FunctionContext) => Promise<ReplyFields | undefined> {
  const { prompt = dataOf, reply = {}, ...request } = options;
  return async (event, context) => {
    const result = await askModel({ ...request, prompt: await prompt(event, context) }, { event, context });
    const extensions = usageExtensions(result);
    context.logger.info('asked a model', extensions);
    const fields = typeof reply === 'function' ? await reply(event, result) : reply;
    if (fields === undefined || fields === null) return undefined;
    return {
      type: `${event.type}.answered`,
      subject: event.subject ?? event.id,
      data: result.answer,
      ...fields,
      ...extensions,
    };
  };
}

function dataOf({ data }: FunctionEvent, { failure }: FunctionContext): string {
  if (data === undefined) throw failure('data: expected what to ask the model, got none', { status: 400 });
  if (data instanceof Uint8Array) return Buffer.from(data).toString();
  return typeof data === 'string' ? data : JSON.stringify(data, null, 2);
}
