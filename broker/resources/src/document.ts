import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, Parser } from 'yaml';
import type { CST, Document as YamlDocument, ParsedNode, YAMLMap } from 'yaml';
import { complaint } from './fault.ts';
import type { Fault, Place } from './fault.ts';
import { join, steps } from './path.ts';
import type { Path } from './path.ts';

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

/** More characters than this are refused. Kubernetes' own limit for a request is 3 MiB. */
const MAX_CHARACTERS = 3 * 1024 * 1024;
/** What reading costs is proportional to the lexemes, not to the characters; some thousand resources have so many. */
const MAX_LEXEMES = 400_000;
/** Levels of nesting. Real manifests have some twenty; reading goes by recursion. */
const MAX_DEPTH = 100;
/** Values after aliases are resolved; what stops "a billion laughs". */
const MAX_VALUES = 100_000;

const CORE_TAGS = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

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
  const faults: Fault[] = [];
  const refuse = (offset: number, expected: string, got: string) =>
    faults.push({ place: placeOf(offset), ...complaint('', expected, got) });

  lines.addNewLine(0);
  if (text.length > MAX_CHARACTERS) {
    refuse(0, `a file of at most ${MAX_CHARACTERS} characters`, `${text.length}`);
    return { documents: [], faults };
  }
  const documents: Document[] = [];
  for (const parsed of compose(text, lines, refuse)) {
    for (const { pos, message } of [...parsed.errors, ...parsed.warnings])
      refuse(pos[0], 'well-formed YAML', withoutSource(message));
    if (parsed.errors.length > 0) continue;
    const reading = new Reading(parsed, refuse);
    const value = reading.read();
    if (value !== REFUSED) documents.push(new ReadDocument(value, reading.marks, parsed.range[0], placeOf));
  }
  return { documents, faults };
}

/** Composes document by document, and stops where the limits are passed. */
function* compose(
  text: string,
  lines: LineCounter,
  refuse: (offset: number, expected: string, got: string) => void,
): Generator<YamlDocument.Parsed> {
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, keepSourceTokens: false });
  let lexemes = 0;
  const tokens = function* (): Generator<CST.Token> {
    for (const lexeme of new Lexer().lex(text)) {
      yield* parser.next(lexeme);
      if (++lexemes > MAX_LEXEMES) throw new Limit(`fewer than ${MAX_LEXEMES} words and signs in a file`, 'more');
      if (parser.stack.length > MAX_DEPTH) throw new Limit(`at most ${MAX_DEPTH} levels of nesting`, 'more');
    }
    yield* parser.end();
  };
  try {
    for (const token of tokens()) yield* composer.next(token) as Generator<YamlDocument.Parsed>;
    yield* composer.end() as Generator<YamlDocument.Parsed>;
  } catch (error) {
    if (error instanceof Limit) refuse(Math.max(parser.offset - 1, 0), error.expected, error.got);
    else
      refuse(
        parser.offset,
        'well-formed YAML',
        error instanceof RangeError ? 'too much nesting' : 'what cannot be read',
      );
  }
}

class Limit extends Error {
  readonly expected: string;
  readonly got: string;
  constructor(expected: string, got: string) {
    super(`expected ${expected}, got ${got}`);
    this.expected = expected;
    this.got = got;
  }
}

// What the library quotes from the file could be a secret.
function withoutSource(message: string): string {
  return message.replace(/: ".*$/s, '');
}

const REFUSED = Symbol('refused');

interface Mark {
  /** Where the name of the field begins, or the item. */
  readonly start: number;
  /** Of a plain scalar. */
  readonly written?: string;
}

type Node = ParsedNode | null;

/** Turns one document's nodes into values, and remembers where they stood. */
class Reading {
  readonly marks = new Map<Path, Mark>();
  readonly #document: YamlDocument.Parsed;
  readonly #refuse: (offset: number, expected: string, got: string) => void;
  #values = 0;
  #sound = true;

  constructor(document: YamlDocument.Parsed, refuse: (offset: number, expected: string, got: string) => void) {
    this.#document = document;
    this.#refuse = refuse;
  }

  /** The value of the document, or REFUSED when something in it was refused. */
  read(): unknown {
    const contents = this.#document.contents as Node;
    const value = this.#valueOf(contents, '', contents?.range[0] ?? 0, []);
    return this.#sound ? value : REFUSED;
  }

  #fault(offset: number, expected: string, got: string): void {
    this.#sound = false;
    this.#refuse(offset, expected, got);
  }

  #valueOf(node: Node, path: Path, start: number, aliases: readonly Node[]): unknown {
    if (++this.#values > MAX_VALUES) {
      if (this.#values === MAX_VALUES + 1) this.#fault(start, `at most ${MAX_VALUES} values in a document`, 'more');
      return null;
    }
    if (node === null) return null;
    if (isAlias(node)) {
      const target = node.resolve(this.#document) as Node | undefined;
      if (target === undefined || target === null || aliases.includes(target)) {
        this.#fault(node.range[0], 'an alias of something that stands before it', 'an alias of nothing or of itself');
        return null;
      }
      return this.#valueOf(target, path, start, [...aliases, target]);
    }
    if (node.tag !== undefined && !CORE_TAGS.has(node.tag))
      this.#fault(node.range[0], 'a value without a tag', 'a tag');
    if (isMap(node)) {
      this.marks.set(path, { start });
      return this.#mapOf(node as YAMLMap<Node, Node>, path, aliases);
    }
    if (isSeq(node)) {
      this.marks.set(path, { start });
      return (node.items as Node[]).map((item, index) =>
        this.#valueOf(item, join(path, index), item?.range[0] ?? start, aliases),
      );
    }
    return this.#scalarOf(node, path, start);
  }

  #scalarOf(node: Exclude<Node, null>, path: Path, start: number): unknown {
    if (!isScalar(node)) return null;
    const plain = node.type === 'PLAIN' && node.source !== undefined ? { written: node.source } : {};
    this.marks.set(path, { start, ...plain });
    if (typeof node.value === 'bigint') return Number(node.value);
    if (typeof node.value === 'number' && !Number.isFinite(node.value)) {
      this.#fault(node.range[0], 'a finite number', 'one that JSON has no word for');
      return null;
    }
    return node.value;
  }

  #mapOf(map: YAMLMap<Node, Node>, path: Path, aliases: readonly Node[]): object {
    const own = new Map<string, unknown>();
    const merged: { source: Node; start: number }[] = [];
    for (const { key, value } of map.items) {
      const start = key?.range[0] ?? map.range?.[0] ?? 0;
      if (isScalar(key) && key.type === 'PLAIN' && key.source === '<<') {
        merged.push(...(isSeq(value) ? (value.items as Node[]) : [value]).map((source) => ({ source, start })));
        continue;
      }
      const name = this.#nameOf(key, start, aliases);
      if (name === undefined) continue;
      if (own.has(name)) this.#fault(start, 'each field once', `${JSON.stringify(name.slice(0, 80))} again`);
      const at = join(path, name);
      own.set(name, this.#valueOf(value, at, start, aliases));
      if (!this.marks.has(at)) this.marks.set(at, { start });
    }
    for (const { source, start } of merged) this.#merge(own, source, start, path, aliases);
    // Not by assignment: `__proto__` is a name like any other.
    return Object.fromEntries(own);
  }

  #nameOf(key: Node, start: number, aliases: readonly Node[]): string | undefined {
    const target = isAlias(key) ? (key.resolve(this.#document) as Node | undefined) : key;
    if (isScalar(target) && !aliases.includes(target)) {
      return typeof target.value === 'string' ? target.value : (target.source ?? String(target.value));
    }
    this.#fault(start, 'a text as the name of a field', 'a list, an object or nothing');
    return undefined;
  }

  // YAML 1.1 merge: what the map says itself wins, then the earlier source.
  #merge(own: Map<string, unknown>, source: Node, start: number, path: Path, aliases: readonly Node[]): void {
    const marks = new Map(this.marks);
    const value = this.#valueOf(source, path, start, aliases);
    const fields =
      typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
    if (fields === undefined) this.#fault(start, 'an object, or a list of them, to merge', 'something else');
    for (const [name, inner] of fields ?? []) if (!own.has(name)) own.set(name, inner);
    // The places of what was already there are not those of the source.
    for (const [at, mark] of marks) this.marks.set(at, mark);
  }
}

class ReadDocument implements Document {
  readonly value: unknown;
  readonly #marks: ReadonlyMap<Path, Mark>;
  readonly #start: number;
  readonly #placeOf: (offset: number) => Place;

  constructor(value: unknown, marks: ReadonlyMap<Path, Mark>, start: number, placeOf: (offset: number) => Place) {
    this.value = value;
    this.#marks = marks;
    this.#start = start;
    this.#placeOf = placeOf;
  }

  locate(path: Path): Place {
    const mark = this.#marks.get(path);
    if (mark !== undefined) return this.#placeOf(mark.start);
    const way = steps(path);
    if (way.length === 0) return this.#placeOf(this.#start);
    return this.locate(way.slice(0, -1).reduce<Path>(join, ''));
  }

  written(path: Path): string | undefined {
    return this.#marks.get(path)?.written;
  }
}
