/**
 * Where something stands inside a resource, as people write it: `spec.filters[0].exact`, and
 * `metadata.annotations["example.com/note"]` where a name is not a plain word. The empty path is the resource itself.
 */
export type Path = string;

const PLAIN = /^[A-Za-z_$][\w$-]*$/;
const STEP = /\.?([A-Za-z_$][\w$-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;

/** The path one step further in: a field by its name, an item by its number (from 0). */
export function join(path: Path, step: string | number): Path {
  if (typeof step === 'number') return `${path}[${step}]`;
  if (!PLAIN.test(step)) return `${path}[${JSON.stringify(step)}]`;
  return path === '' ? step : `${path}.${step}`;
}

/** The steps of a path, outermost first; what cannot be read ends the list. The inverse of {@link join}. */
export function steps(path: Path): (string | number)[] {
  const found: (string | number)[] = [];
  const pattern = new RegExp(STEP);
  for (let step = pattern.exec(path); step !== null; step = pattern.exec(path)) {
    const [, word, index, quoted] = step;
    found.push(word ?? (index === undefined ? (JSON.parse(quoted ?? '""') as string) : Number(index)));
  }
  return found;
}

/** The path of the JSON pointer (RFC 6901): `/spec/filters/0` → `spec.filters[0]`, read along the value it points into. */
export function fromPointer(pointer: string, root: unknown): Path {
  let path: Path = '';
  let value = root;
  for (const escaped of pointer.split('/').slice(1)) {
    const step = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
    path = join(path, Array.isArray(value) ? Number(step) : step);
    value = (value as Record<string, unknown> | undefined)?.[step];
  }
  return path;
}
