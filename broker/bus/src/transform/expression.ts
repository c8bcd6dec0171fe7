import { createRequire } from 'node:module';

import type jsonata from 'jsonata';

/** Why a text is no JSONata. */
export interface ExpressionFault {
  readonly message: string;
  /** In characters from the beginning, where it is known. */
  readonly position: number | undefined;
}

/**
 * Whether a text is JSONata: undefined, or what is wrong with it. Nothing is evaluated. The parser is loaded by the
 * first call, so that whoever has no transformation does not pay for it.
 */
export function checkExpression(text: string): ExpressionFault | undefined {
  const parse = createRequire(import.meta.url)('jsonata') as typeof jsonata;
  try {
    parse(text);
    return undefined;
  } catch (error) {
    return faultOf(error);
  }
}

/** What JSONata throws: not always an Error, and text of any length. */
export function faultOf(error: unknown): ExpressionFault {
  const { message, position } = Object(error) as { message?: unknown; position?: unknown };
  return {
    message: shorten(typeof message === 'string' ? message : String(error)),
    position: typeof position === 'number' ? position : undefined,
  };
}

/** An expression can put its whole input into a message. */
const MOST_SHOWN = 500;

function shorten(message: string): string {
  return message.length > MOST_SHOWN ? `${message.slice(0, MOST_SHOWN - 3)}...` : message;
}
