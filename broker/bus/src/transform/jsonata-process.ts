import jsonata from 'jsonata';

import type { Evaluation } from './evaluation.ts';
import { faultOf } from './expression.ts';

/**
 * The process in which expressions are evaluated, one after the other. It has no environment, may not write files or
 * start anything (see `start` in worker.ts), and knows nothing but what a request brings. Nothing but the channel to
 * whoever started it keeps it alive.
 */

export interface Request {
  /** JSONata. */
  readonly expression: string;
  /** JSON. */
  readonly input: string;
}

/** The first message says that it is ready; each after that answers one request. */
export type Response = 'ready' | Exclude<Evaluation, { kind: 'unavailable' }>;

/** What the process is started with, in this order. */
export type Arguments = readonly [longestResultBytes: string, orphanTimeoutMs: string];

const [longestResultBytes, orphanTimeoutMs] = process.argv.slice(2).map(Number) as [number, number];
const MOST_COMPILED = 100;
const compiled = new Map<string, jsonata.Expression>();

process.on('message', (request: Request) => {
  void evaluate(request).then(tell);
});
// A terminal signals all its processes at once; whoever started this one may still need it, and ends it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
tell('ready');

function tell(response: Response): void {
  process.send!(response, undefined, undefined, () => {});
}

async function evaluate({ expression, input }: Request): Promise<Exclude<Response, 'ready'>> {
  try {
    const value: unknown = await compile(expression).evaluate(JSON.parse(input), {});
    const json = JSON.stringify(value) as string | undefined;
    if (json === undefined) return { kind: 'nothing' };
    const bytes = Buffer.byteLength(json);
    if (bytes <= longestResultBytes) return { kind: 'value', json };
    return { kind: 'failed', reason: `made ${bytes} bytes of JSON, and ${longestResultBytes} are the most` };
  } catch (error) {
    const { message, position } = faultOf(error);
    return { kind: 'failed', reason: position === undefined ? message : `${message} (at character ${position})` };
  }
}

function compile(expression: string): jsonata.Expression {
  // A loop is ended from outside, by the end of this process; by itself only when nobody is left to do that.
  const found = compiled.get(expression) ?? jsonata(expression, { timeout: orphanTimeoutMs });
  compiled.delete(expression);
  compiled.set(expression, found);
  if (compiled.size > MOST_COMPILED) compiled.delete(compiled.keys().next().value!);
  return found;
}
