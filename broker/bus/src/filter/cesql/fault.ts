import type { Position } from '../fault.ts';

/** Why a text is not a CESQL expression (the specification's ParseError): what was expected, what came, and where. */
export class CesqlFault extends Error {
  override readonly name = 'CesqlFault';
  readonly expected: string;
  readonly got: string;
  readonly position: Position;

  constructor(text: string, at: number, expected: string, got: string) {
    const position = positionOf(text, at);
    super(`line ${position.line}, column ${position.column}: expected ${expected}, got ${got}`);
    this.expected = expected;
    this.got = got;
    this.position = position;
  }
}

/** Line and column of an offset in the text. */
export function positionOf(text: string, at: number): Position {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: Array.from(before.at(-1) ?? '').length + 1 };
}
