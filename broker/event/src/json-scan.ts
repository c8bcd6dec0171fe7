/**
 * Finds where values stand in JSON text that is already known to be valid.
 * `JSON.parse` gives the values but not their text, and an event's data must come out byte for byte as it came in.
 */

/** Where a member of an object stands: its name, and the text of its value as a half-open range. */
export interface Span {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** The members of the object whose `{` is the first character at or after `at`, in order, duplicates included. */
export function members(text: string, at: number): Span[] {
  const spans: Span[] = [];
  let index = skipSpace(text, skipSpace(text, at) + 1);
  while (text.charCodeAt(index) !== CLOSE_BRACE) {
    const nameEnd = skipString(text, index);
    const name = JSON.parse(text.slice(index, nameEnd)) as string;
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = skipValue(text, start);
    spans.push({ name, start, end });
    index = nextItem(text, end);
  }
  return spans;
}

/** Where each element of the array starts whose `[` is the first character at or after `at`. */
export function elements(text: string, at: number): number[] {
  const starts: number[] = [];
  let index = skipSpace(text, skipSpace(text, at) + 1);
  while (text.charCodeAt(index) !== CLOSE_BRACKET) {
    starts.push(index);
    index = nextItem(text, skipValue(text, index));
  }
  return starts;
}

/** The text of each element of the array whose `[` is the first character at or after `at`. */
export function elementTexts(text: string, at: number): string[] {
  return elements(text, at).map((start) => text.slice(start, skipValue(text, start)));
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

function skipSpace(text: string, index: number): number {
  while (text.charCodeAt(index) <= 0x20) index += 1;
  return index;
}

function nextItem(text: string, end: number): number {
  const index = skipSpace(text, end);
  return text.charCodeAt(index) === COMMA ? skipSpace(text, index + 1) : index;
}

function skipString(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  while (isEscaped(text, close)) close = text.indexOf('"', close + 1);
  return close + 1;
}

function isEscaped(text: string, index: number): boolean {
  let before = index - 1;
  while (text.charCodeAt(before) === BACKSLASH) before -= 1;
  return (index - before) % 2 === 0;
}

function skipValue(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return skipString(text, start);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return skipScalar(text, start);
  let depth = 0;
  for (let index = start; ; index += 1) {
    switch (text.charCodeAt(index)) {
      case QUOTE:
        index = skipString(text, index) - 1;
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth += 1;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth -= 1;
        if (depth === 0) return index + 1;
    }
  }
}

function skipScalar(text: string, start: number): number {
  let index = start;
  for (;;) {
    const code = text.charCodeAt(index);
    if (code <= 0x20 || code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || Number.isNaN(code)) {
      return index;
    }
    index += 1;
  }
}
