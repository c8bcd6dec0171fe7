import { show } from '../fault.ts';
import { CesqlFault } from './fault.ts';
import { tokenize } from './lexer.ts';
import type { Token } from './lexer.ts';

/** The tokens of one expression, and how far they have been read. */
export class Cursor {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  /** Throws a {@link CesqlFault} for what is no token. */
  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  /** The token to be taken next, or one further ahead. Behind the last one there is `end`, again and again. */
  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)]!;
  }

  take(): Token {
    const token = this.peek();
    this.#next++;
    return token;
  }

  /** Takes the next token if it is of that kind. */
  takeIf(kind: Token['kind']): Token | undefined {
    return this.peek().kind === kind ? this.take() : undefined;
  }

  /** True when the next token is that symbol or keyword. */
  isNext(text: string): boolean {
    const { kind, text: next } = this.peek();
    return (kind === 'symbol' || kind === 'keyword') && next === text;
  }

  /** Takes the symbol, or throws; `purpose` goes on with the sentence. */
  expect(symbol: string, purpose: string): void {
    if (!this.isNext(symbol)) throw this.unexpected(`"${symbol}" ${purpose}`);
    this.#next++;
  }

  /** The fault that the token is not what was expected. */
  unexpected(expected: string, token = this.peek()): CesqlFault {
    return this.fault(token.at, expected, token.kind === 'end' ? 'the end of the expression' : show(token.text));
  }

  /** A fault at an offset of the text. */
  fault(at: number, expected: string, got: string): CesqlFault {
    return new CesqlFault(this.#text, at, expected, got);
  }
}
