import type { Block, Message } from './messages.ts';

/** The message as the server-sent events of a streamed answer, in their order. */
export function* streamOf(message: Message): Generator<string> {
  const { output_tokens } = message.usage;
  const empty = { ...message, content: [], stop_reason: null, usage: { ...message.usage, output_tokens: 1 } };
  yield sse('message_start', { message: empty });
  for (const [index, block] of message.content.entries()) {
    yield sse('content_block_start', { index, content_block: emptied(block) });
    for (const delta of deltasOf(block)) yield sse('content_block_delta', { index, delta });
    yield sse('content_block_stop', { index });
  }
  const delta = { stop_reason: message.stop_reason, stop_sequence: null };
  yield sse('message_delta', { delta, usage: { output_tokens } });
  yield sse('message_stop', {});
}

/** The beginning of a streamed answer that breaks off with an error, as the API does when it is overloaded meanwhile. */
export function* brokenStreamOf(message: Message, error: object): Generator<string> {
  for (const part of streamOf(message)) {
    if (part.startsWith('event: content_block_stop')) break;
    yield part;
  }
  yield sse('error', { error });
}

function emptied(block: Block): object {
  return block.type === 'text' ? { ...block, text: '' } : { ...block, input: {} };
}

function deltasOf(block: Block): object[] {
  // Cut before each word, as tokens are.
  if (block.type === 'text') return pieces(block.text).map((text) => ({ type: 'text_delta', text }));
  return pieces(JSON.stringify(block.input)).map((part) => ({ type: 'input_json_delta', partial_json: part }));
}

function pieces(text: string): string[] {
  return text.split(/(?= )/u);
}

function sse(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}
