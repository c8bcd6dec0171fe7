/** How deep a path may go. */
const MOST_STEPS = 32;

const STEP = /\.([A-Za-z_][\w-]*)|\[(\d{1,6})\]|\['([^'\\]*)'\]/y;

/**
 * The steps of a path into JSON, such as `$.order.lines`, `$[0]` or `$['order lines']` (the part of JSONPath, RFC 9535,
 * that names one place); undefined when the text is none.
 */
export function parseItemsPath(text: string): readonly (string | number)[] | undefined {
  if (!text.startsWith('$')) return undefined;
  const steps: (string | number)[] = [];
  for (let at = 1; at < text.length; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const found = STEP.exec(text);
    if (found === null || steps.length === MOST_STEPS) return undefined;
    const [, name, index, quoted] = found;
    steps.push(index === undefined ? (name ?? quoted ?? '') : Number(index));
  }
  return steps;
}
