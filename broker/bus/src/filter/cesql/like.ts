/**
 * Compiles the pattern of `LIKE` (CESQL 1.0.0 §3.4.3): `%` is any run of characters, `_` exactly one, `\%` and `\_`
 * stand for themselves, everything else matches itself. Characters are code points; case counts.
 *
 * The pieces between the `%` are looked for from left to right, each at the first place where it fits, and that place
 * is never taken back: so the time grows with the length of the text, whatever the text is.
 */
export function compileLike(pattern: string): (text: string) => boolean {
  const pieces = piecesOf(pattern).map(compilePiece);
  const [first] = pieces;
  const last = pieces.at(-1);
  if (first === undefined || last === undefined) return () => false;
  if (pieces.length === 1) return (text) => first.fitsAt(text, 0) === text.length;
  const middle = pieces.slice(1, -1);
  return (text) => {
    let at = first.fitsAt(text, 0);
    for (const piece of middle) {
      if (at < 0) return false;
      at = piece.findFrom(text, at);
    }
    if (at < 0) return false;
    const tail = last.startAtEnd(text);
    return tail >= at && last.fitsAt(text, tail) === text.length;
  };
}

/** A stretch of the pattern without `%`. The methods give offsets in the text, or -1. */
interface Piece {
  /** Where the piece ends when it begins at the offset. */
  fitsAt(text: string, at: number): number;
  /** Where the piece ends when it begins at the first place from the offset on where it fits. */
  findFrom(text: string, at: number): number;
  /** Where the piece must begin to end with the text. */
  startAtEnd(text: string): number;
}

/** One character of a piece; undefined for `_`. */
type Character = string | undefined;

function piecesOf(pattern: string): Character[][] {
  const pieces: Character[][] = [[]];
  const characters = Array.from(pattern);
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i];
    const next = characters[i + 1];
    if (character === '%') {
      pieces.push([]);
    } else if (character === '\\' && (next === '%' || next === '_')) {
      pieces.at(-1)?.push(next);
      i++;
    } else {
      pieces.at(-1)?.push(character === '_' ? undefined : character);
    }
  }
  return pieces;
}

function compilePiece(piece: Character[]): Piece {
  return piece.includes(undefined) ? withGaps(piece) : solid(piece.join(''));
}

function solid(piece: string): Piece {
  return {
    fitsAt: (text, at) => (text.startsWith(piece, at) ? at + piece.length : -1),
    findFrom(text, at) {
      const found = text.indexOf(piece, at);
      return found < 0 ? -1 : found + piece.length;
    },
    startAtEnd: (text) => text.length - piece.length,
  };
}

function withGaps(piece: readonly Character[]): Piece {
  const points = piece.map((character) => character?.codePointAt(0));
  const fitsAt = (text: string, start: number): number => {
    let at = start;
    for (const point of points) {
      const here = text.codePointAt(at);
      if (here === undefined || (point !== undefined && point !== here)) return -1;
      at += width(here);
    }
    return at;
  };
  return {
    fitsAt,
    findFrom(text, start) {
      for (let at = start; at < text.length; at += width(text.codePointAt(at)!)) {
        const end = fitsAt(text, at);
        if (end >= 0) return end;
      }
      return -1;
    },
    startAtEnd(text) {
      let at = text.length;
      for (let count = points.length; count > 0; count--) {
        if (at <= 0) return -1;
        at -= at > 1 && isPair(text, at - 2) ? 2 : 1;
      }
      return at;
    },
  };
}

function width(point: number): number {
  return point > 0xffff ? 2 : 1;
}

function isPair(text: string, at: number): boolean {
  return text.codePointAt(at)! > 0xffff;
}
