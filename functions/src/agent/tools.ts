import type { Message, Tool, ToolResultBlockParam, ToolUseBlock } from '@anthropic-ai/sdk/resources/messages';

import type { FunctionContext, FunctionEvent } from '../author.ts';

/** What the model may use: its name, its `description` and the JSON Schema of its input are for the model. */
export type AgentTool = Omit<Tool, 'input_schema'> & { readonly input_schema: object } & (ToolThatRuns | FinalTool);

export interface ToolThatRuns {
  /**
   * Its result goes to the model: a text as it is, anything else as JSON. So does the message of what it throws, and the
   * model goes on; only an error made by `call.context.failure` ends the call with that failure.
   */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly run: (input: any, call: ToolCall) => unknown;
  readonly final?: never;
}

/** A tool that ends the conversation: its input is the answer. Several of them are several ways to end. */
export interface FinalTool {
  readonly final: true;
  readonly run?: never;
}

/** What a tool is told: the event and context of the function that asks, and when to stop. */
export interface ToolCall {
  readonly event: FunctionEvent;
  readonly context: FunctionContext;
  readonly signal: AbortSignal;
}

/** The tools as the model is told of them. */
export function toolsForModel(tools: readonly AgentTool[]): Tool[] {
  return tools.map(({ run: _run, final: _final, ...tool }) => tool as Tool);
}

/** Which tools a message uses, in its order. */
export function usesOf({ content }: Pick<Message, 'content'>): ToolUseBlock[] {
  return content.filter((block) => block.type === 'tool_use');
}

/** Runs all at once what the model wants to use; resolves with the results in the order of the uses. */
export function runTools(
  uses: readonly ToolUseBlock[],
  tools: readonly AgentTool[],
  call: ToolCall,
): Promise<ToolResultBlockParam[]> {
  return Promise.all(uses.map((use) => runTool(use, tools, call)));
}

async function runTool(
  { id, name, input }: ToolUseBlock,
  tools: readonly AgentTool[],
  call: ToolCall,
): Promise<ToolResultBlockParam> {
  const meant = new WeakSet<object>();
  const failure: FunctionContext['failure'] = (...facts) => {
    const error = call.context.failure(...facts);
    meant.add(error);
    return error;
  };
  try {
    const tool = tools.find((tool) => tool.name === name);
    if (tool?.run === undefined) throw new Error(`there is no tool ${name}`);
    const result: unknown = await tool.run(input, { ...call, context: { ...call.context, failure } });
    return { type: 'tool_result', tool_use_id: id, content: textOf(result) };
  } catch (error) {
    if (call.signal.aborted || (error instanceof Error && meant.has(error))) throw error;
    const content = error instanceof Error ? error.message : String(error);
    return { type: 'tool_result', tool_use_id: id, content: content || 'it failed', is_error: true };
  }
}

function textOf(result: unknown): string {
  return typeof result === 'string' ? result : (JSON.stringify(result) ?? 'done');
}
