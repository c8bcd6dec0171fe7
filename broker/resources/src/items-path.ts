/** How deep a path may go. */
const MOST_STEPS = 32;

const STEP = /\.([\p{L}_][\p{L}\p{N}_-]*)|\['([^'\\]*)'\]|\[(0|[1-9]\d{0,6})\]/uy;

/**
 * The steps of a path into JSON, such as `$.order.lines`, `$[0]` or `$['order lines']` (the part of JSONPath, RFC 9535,
 * that names one place; a name without quotes may hold "-", too); undefined when the text is none. Who follows it takes
 * own properties only: a name may be any text.
 */
export function parseItemsPath(text: string): readonly (string | number)[] | undefined {
  if (!text.startsWith('$')) return undefined;
  const pattern = new RegExp(STEP);
  pattern.lastIndex = 1;
  const steps: (string | number)[] = [];
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text);
    if (found === null || steps.length === MOST_STEPS) return undefined;
    const [, name, quoted, index] = found;
    steps.push(name ?? quoted ?? Number(index));
  }
  return steps;
}
