const MASK = '***';
const MOST_CHARACTERS = 2_000;

// These read what strangers send: each must look at a character only a few times, however long the text.

const SECRET_KEY =
  /pass(?:word|phrase|wd)|secret|token|authorization|cookie|credential|api[-_]?key|private[-_]?key|signature|sasl/i;

/** `scheme://user:password@host`: everything up to the last @ before the path. */
const USERINFO = /\b([a-z][a-z\d+.-]{0,30}:\/\/)[^\s/?#"'<>]*@/gi;
/** The values of a query, in a whole address and in a path alone. The names stay: they help, and hide nothing. */
const QUERY_VALUE = /([?&][^\s=?&#"'<>]*=)[^\s&#"'<>]+/g;
/** With a digit or a padding in it, so that "basic authentication" stays what it is. */
const CREDENTIALS = /\b(bearer|basic)\s(?=[a-z.~+/_-]*[\d=])[\w.~+/=-]+/gi;
const ASSIGNMENT = /((?:password|passwd|secret|token|api[-_]?key)["']?\s?[=:]\s?["']?)(?!\*\*\*)[^\s"'&,;]+/gi;

/**
 * A text in which addresses have lost their userinfo and the values of their query, and credentials are masked; cut off
 * after 2000 characters.
 */
export function redactText(text: string): string {
  const shown = text
    .replace(USERINFO, `$1${MASK}@`)
    .replace(QUERY_VALUE, `$1${MASK}`)
    .replace(CREDENTIALS, `$1 ${MASK}`)
    .replace(ASSIGNMENT, `$1${MASK}`);
  return shown.length > MOST_CHARACTERS ? `${shown.slice(0, MOST_CHARACTERS)}…` : shown;
}

const DEEPEST = 4;
const MOST_ITEMS = 50;

/**
 * The same facts as plain data that may be shown: texts as in {@link redactText}, values under a key that sounds secret
 * masked, bytes told only by their number, what is deep or long cut off. Undefined values are left out.
 */
export function redactFacts(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactObject(facts, 0);
}

function redactObject(facts: object, depth: number): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(facts)) {
    if (value === undefined) continue;
    shown[key] = SECRET_KEY.test(key) && value !== null ? MASK : redactValue(value, depth);
  }
  return shown;
}

function redactValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return redactText(value);
    case 'number':
    case 'boolean':
      return value;
    case 'object':
      break;
    default:
      return String(value);
  }
  if (value === null) return null;
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (value instanceof Error) return redactText(told(value));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return redactText(value.href);
  if (depth >= DEEPEST) return '…';
  if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map((item) => redactValue(item, depth + 1));
  return redactObject(value, depth + 1);
}

/** An error and what caused it, in one line. */
function told(error: Error): string {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error && parts.length < DEEPEST; at = at.cause) {
    if (!parts.includes(at.message)) parts.push(at.message);
  }
  return parts.join(': ');
}
