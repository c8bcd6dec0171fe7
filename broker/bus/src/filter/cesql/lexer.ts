import { CesqlFault } from './fault.ts';

/** A token of a CESQL expression. `at` is its offset in the text; `end` stands behind the last one. */
export interface Token {
  readonly kind: 'keyword' | 'name' | 'integer' | 'string' | 'symbol' | 'end';
  readonly at: number;
  /** As it stands in the text; keywords in upper case. For a string, what is between the quotes, unescaped. */
  readonly text: string;
}

const KEYWORDS = new Set(['AND', 'OR', 'XOR', 'NOT', 'LIKE', 'EXISTS', 'IN', 'TRUE', 'FALSE']);
const SPACE = /[ \t\r\n]*/y;
const WORD = /[A-Za-z0-9_]+/y;
const SYMBOL = /!=|<>|<=|>=|[=<>+\-*/%(),]/y;

/**
 * Cuts a CESQL expression into tokens (CESQL 1.0.0 §2; lexical grammar of the specification's repository).
 * A sign is a token of its own, so that `4-1` is a difference; the parser joins it to the literal where it belongs.
 * Throws a {@link CesqlFault} at the first character that begins no token.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = skip(SPACE, text, 0);
  while (at < text.length) {
    const quote = text.charAt(at);
    const end = quote === "'" || quote === '"' ? endOfString(text, at) : endOfWord(text, at);
    tokens.push(tokenOf(text, at, end));
    at = skip(SPACE, text, end);
  }
  tokens.push({ kind: 'end', at: text.length, text: '' });
  return tokens;
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function endOfWord(text: string, at: number): number {
  const word = skip(WORD, text, at);
  const end = word > at ? word : skip(SYMBOL, text, at);
  if (end > at) return end;
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  throw new CesqlFault(text, at, 'a name, a literal or an operator', JSON.stringify(character));
}

/** A backslash takes the next character with it, and a doubled quote does not end the text. */
function endOfString(text: string, start: number): number {
  const quote = text.charAt(start);
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\\') at++;
    else if (character === quote) {
      if (text.charAt(at + 1) !== quote) return at + 1;
      at++;
    }
  }
  throw new CesqlFault(text, start, `a closing ${quote} for the text that begins here`, 'the end of the expression');
}

function tokenOf(text: string, at: number, end: number): Token {
  const raw = text.slice(at, end);
  const first = raw.charAt(0);
  if (first === "'" || first === '"') return { kind: 'string', at, text: unescape(raw) };
  if (/^\d+$/.test(raw)) return { kind: 'integer', at, text: raw };
  const upper = raw.toUpperCase();
  if (KEYWORDS.has(upper)) return { kind: 'keyword', at, text: upper };
  return { kind: /^\w/.test(raw) ? 'name' : 'symbol', at, text: raw };
}

/** Only the delimiter can be escaped; every other backslash stays, because `LIKE` has a use for it. */
function unescape(raw: string): string {
  const quote = raw.charAt(0);
  return raw.slice(1, -1).replaceAll(`\\${quote}`, quote);
}
