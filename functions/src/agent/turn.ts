import { createHash } from 'node:crypto';

import type { Message } from '@anthropic-ai/sdk/resources/messages';

import type { FunctionContext, FunctionEvent } from '../author.ts';
import { clientFor, secretsOf } from './client.ts';
import { factsOf } from './failure.ts';
import type { Params } from './request.ts';

/** For whom a model is asked: the two arguments of a function. Without an event, tools get none either. */
export interface ModelCaller {
  readonly event?: FunctionEvent | undefined;
  readonly context: FunctionContext;
}

/**
 * One request and its answer. Yields the text as it comes and returns the message; throws `context.failure`. It is always
 * a stream, since an answer may take longer than a silent connection lives.
 */
export async function* askOnce(
  params: Params,
  { event, context }: ModelCaller,
): AsyncGenerator<string, Message, undefined> {
  try {
    const anthropic = await clientFor();
    const headers = event === undefined ? {} : { 'idempotency-key': idempotencyKey(event, params) };
    const stream = anthropic.messages.stream({ ...params, stream: true }, { signal: context.signal, headers });
    for await (const part of stream) {
      if (part.type === 'content_block_delta' && part.delta.type === 'text_delta') yield part.delta.text;
    }
    return await stream.finalMessage();
  } catch (error) {
    const { message, ...facts } = factsOf(error, secretsOf());
    throw context.failure(message, facts);
  }
}

/**
 * The same for the same question about the same event, whichever attempt it is; another for each turn. The API itself
 * promises nothing for it, but a gateway before it can, and what is asked twice in one call must not be taken for one.
 */
function idempotencyKey({ source, id }: FunctionEvent, params: Params): string {
  return createHash('sha256')
    .update(JSON.stringify([source, id, params]))
    .digest('hex');
}
