// Text measured in characters, which are code points: an emoji of one code point counts one, not two.

/** How many characters the text has. */
export function lengthOf(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; count++) at = next(text, at);
  return count;
}

/** The first so many characters, or all; all as well when the count is below 0. */
export function left(text: string, count: number): string {
  return count < 0 ? text : text.slice(0, offsetOf(text, count));
}

/** The last so many characters, or all; all as well when the count is below 0. */
export function right(text: string, count: number): string {
  return count < 0 ? text : text.slice(offsetOf(text, lengthOf(text) - count));
}

/** True when the text has no such position. Positions count from 1, and from the end when negative. */
export function isOutside(text: string, position: number): boolean {
  return Math.abs(position) > lengthOf(text);
}

/** At most so many characters from the position on. Nothing at position 0, outside the text, or for a count below 0. */
export function substring(text: string, position: number, count: number): string {
  if (position === 0 || isOutside(text, position) || count < 0) return '';
  const rest = text.slice(offsetOf(text, position > 0 ? position - 1 : lengthOf(text) + position));
  return rest.slice(0, offsetOf(rest, count));
}

const WHITE_SPACE = /\p{White_Space}/u;

/** Without Unicode's white space at both ends; JavaScript's own `trim` takes another set. */
export function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && WHITE_SPACE.test(text.charAt(start))) start++;
  while (end > start && WHITE_SPACE.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Where the character of that index, from 0, stands in the text; the end of the text when there are not so many. */
function offsetOf(text: string, index: number): number {
  let at = 0;
  for (let count = 0; count < index && at < text.length; count++) at = next(text, at);
  return at;
}

function next(text: string, at: number): number {
  return at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
}
