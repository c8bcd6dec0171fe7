/**
 * Why something cannot be a CloudEvent: which attribute (or part), what was expected, what came.
 * The caller must change what it sends; trying again does not help.
 */
export class EventFault extends Error {
  override readonly name = 'EventFault';
  /** The attribute or part at fault: `id`, `data`, `content-type`, a batch member as `[3].source`. */
  readonly attribute: string;
  readonly expected: string;
  /** What came, shortened to 80 characters. */
  readonly got: string;
  /** True when the media type itself is not one that we read (HTTP 415 rather than 400). */
  readonly unsupportedMediaType: boolean;

  constructor(attribute: string, expected: string, got: unknown, options?: { unsupportedMediaType?: boolean }) {
    const shown = show(got);
    super(`${attribute}: expected ${expected}, got ${shown}`);
    this.attribute = attribute;
    this.expected = expected;
    this.got = shown;
    this.unsupportedMediaType = options?.unsupportedMediaType ?? false;
  }

  /** The same fault, seen from the document that holds the event: `[3]` + `source` → `[3].source`. */
  within(place: string): EventFault {
    const outer = new EventFault(`${place}.${this.attribute}`, this.expected, undefined, this);
    Object.assign(outer, { got: this.got });
    outer.message = `${outer.attribute}: expected ${this.expected}, got ${this.got}`;
    return outer;
  }
}

const MOST_SHOWN = 80;

function show(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'nothing';
    case 'string':
      return value.length > MOST_SHOWN ? `${JSON.stringify(value.slice(0, MOST_SHOWN - 3))}...` : JSON.stringify(value);
    case 'object':
      // Not as JSON: it may be nested deeper than a stack goes.
      if (value === null) return 'null';
      return Array.isArray(value) ? 'a list' : 'an object';
    default:
      return String(value);
  }
}
