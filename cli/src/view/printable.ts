/**
 * What a terminal obeys instead of showing it: C0, DEL and C1 controls, the marks that reorder text (Unicode TR 36
 * §2.10), and separators that some programs take for the end of a line.
 */
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** The text on one line, with nothing in it that a terminal obeys: such characters are escaped as in JSON. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, escape);
}

/**
 * The same, but line feeds and tabs stay. Text in JSON keeps its meaning: outside of strings there is nothing to
 * escape, inside the escapes stand for what was there.
 */
export function printableLines(text: string): string {
  return text.replaceAll(UNSAFE, (character) =>
    character === '\n' || character === '\t' ? character : escape(character),
  );
}

/** Whether {@link printable} would change the text. */
export function isPrintable(text: string): boolean {
  return text.search(UNSAFE) < 0;
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escape(character: string): string {
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
