/** Where in a CESQL expression, both counted from 1; columns count characters (code points). */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Why a filter cannot be compiled. The one who declared it must change it; trying again does not help.
 * The message is a whole sentence: where, what was expected, what came, and what to do.
 */
export class FilterFault extends Error {
  override readonly name = 'FilterFault';
  /** Where in the filter, such as `filters[0].all[1].cesql`. Empty for the filter itself. */
  readonly path: string;
  readonly expected: string;
  /** What came, shortened to 80 characters. */
  readonly got: string;
  /** What to do about it. */
  readonly advice: string;
  /** Within the CESQL expression at `path`; undefined for every other dialect. */
  readonly position: Position | undefined;

  constructor(path: string, expected: string, got: string, advice: string, position?: Position) {
    const place = path === '' ? 'the filter' : path;
    const spot = position === undefined ? '' : ` at line ${position.line}, column ${position.column}`;
    super(`${place}: expected ${expected}, got ${got}${spot}. ${advice}`);
    this.path = path;
    this.expected = expected;
    this.got = got;
    this.advice = advice;
    this.position = position;
  }
}

/** A value as people read it in a message: at most 80 characters, `nothing` for undefined. Never throws. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return JSON.stringify(value) ?? typeof value;
  const text = JSON.stringify(value.slice(0, 79));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
