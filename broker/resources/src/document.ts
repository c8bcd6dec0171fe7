import { Composer, Lexer, LineCounter, Parser } from 'yaml';
import type { CST, Document as YamlDocument } from 'yaml';
import { complaint } from './fault.ts';
import type { Fault, Place } from './fault.ts';
import { steps } from './path.ts';
import type { Path } from './path.ts';
import { readValues } from './values.ts';
import type { Mark, Refuse } from './values.ts';

/** One document of a file, as plain JSON values, and where each of them was written. */
export interface Document {
  readonly value: unknown;
  /** Where the path was written: a field where its name begins, an item where it begins itself; else what holds it. */
  locate(path: Path): Place;
  /** The text of a plain scalar as it was written (`1.0`, `0x10`), undefined for everything else. */
  written(path: Path): string | undefined;
}

/** The documents that could be read, and why the others could not. */
export interface Documents {
  readonly documents: Document[];
  readonly faults: Fault[];
}

/** More characters than this are refused. Kubernetes lets one ConfigMap be 1 MiB. */
const MAX_CHARACTERS = 2 * 1024 * 1024;
/** What reading costs is proportional to the lexemes, not to the characters; some thousand resources have so many. */
const MAX_LEXEMES = 300_000;
/** Levels of nesting. Real manifests have some twenty; reading goes by recursion. */
const MAX_DEPTH = 100;
/** Values in a file, aliases counted as what they stand for. */
const MAX_VALUES = 100_000;
const MAX_DOCUMENTS = 10_000;

/**
 * Reads YAML 1.2 (and JSON, which is part of it), several documents, with YAML 1.1's merge keys (`<<`). Never throws:
 * what is not well-formed, too large, too deep, doubly said or tagged is a fault with its place.
 */
export function readDocuments(text: string, file: string): Documents {
  const lines = new LineCounter();
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const documents: Document[] = [];
  const faults: Fault[] = [];
  const refuse: Refuse = (offset, expected, got) =>
    faults.push({ place: placeOf(offset), ...complaint('', expected, got) });

  let values = 0;
  const spend = () => ++values <= MAX_VALUES;
  for (const parsed of compose(text, lines, refuse)) {
    for (const { pos, message } of parsed.errors) refuse(pos[0], 'well-formed YAML', withoutSource(message));
    if (parsed.errors.length > 0) continue;
    const read = readValues(parsed, spend, refuse);
    if (read !== undefined) documents.push(documentOf(read.value, read.mark, placeOf));
    if (values > MAX_VALUES) break;
    if (documents.length > MAX_DOCUMENTS) {
      refuse(parsed.range[0], `at most ${MAX_DOCUMENTS} documents`, 'more');
      break;
    }
  }
  return { documents, faults };
}

/** Composes document by document, and stops where a limit is passed. */
function* compose(text: string, lines: LineCounter, refuse: Refuse): Generator<YamlDocument.Parsed> {
  lines.addNewLine(0);
  if (text.length > MAX_CHARACTERS) {
    refuse(0, `at most ${MAX_CHARACTERS} characters`, String(text.length));
    return;
  }
  const parser = new Parser(lines.addNewLine);
  // Equal keys are looked for while reading: here it would take quadratic time.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false });
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const tooMany = ++lexemes > MAX_LEXEMES;
    if (tooMany || parser.stack.length > MAX_DEPTH) {
      refuse(
        parser.offset,
        tooMany ? `at most ${MAX_LEXEMES} words and signs` : `at most ${MAX_DEPTH} levels of nesting`,
        'more',
      );
      return;
    }
    yield* composed(composer, parser.next(lexeme));
  }
  yield* composed(composer, parser.end());
  yield* composer.end() as Generator<YamlDocument.Parsed>;
}

function* composed(composer: Composer, tokens: Iterable<CST.Token>): Generator<YamlDocument.Parsed> {
  for (const token of tokens) yield* composer.next(token) as Generator<YamlDocument.Parsed>;
}

// What the library quotes from the file could be a secret.
function withoutSource(message: string): string {
  return message.replace(/(?::|(?<=escape sequence|directive|version|tag)) .*$/s, '');
}

function documentOf(value: unknown, root: Mark, placeOf: (offset: number) => Place): Document {
  return {
    value,
    locate(path) {
      let mark = root;
      for (const step of steps(path)) {
        const inner = mark.inner?.get(step);
        if (inner === undefined) break;
        mark = inner;
      }
      return placeOf(mark.start);
    },
    written: (path) => steps(path).reduce<Mark | undefined>((mark, step) => mark?.inner?.get(step), root)?.written,
  };
}
