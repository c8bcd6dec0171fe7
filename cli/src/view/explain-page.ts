import type { ResourceType } from '../objects/discovery.ts';
import { insideOf, typeName } from '../objects/schemas.ts';
import type { KindSchema, Schema } from '../objects/schemas.ts';
import { printable } from './printable.ts';

/** What is explained: a kind, or one of its fields. */
export interface Explained {
  readonly type: ResourceType;
  readonly kind: KindSchema;
  /** Of the field, from outside in; none for the kind itself. */
  readonly names: readonly string[];
  readonly schema: Schema;
  /** Also what the fields consist of, without descriptions. */
  readonly recursive: boolean;
}

const WIDTH = 80;

/** A page in the manner of `kubectl explain`. */
export function explainPage({ type, kind, names, schema, recursive }: Explained): string {
  const inside = insideOf(schema, kind);
  const name = names.at(-1);
  const head = [
    ...(type.group === '' ? [] : [`GROUP:      ${type.group}`]),
    `KIND:       ${type.kind}`,
    `VERSION:    ${type.version}`,
    '',
    ...(name === undefined ? [] : [`FIELD: ${printable(name)} <${typeName(schema)}>`, '']),
    ...allowed(inside, ''),
    'DESCRIPTION:',
    ...descriptions(schema, kind),
  ];
  const fields = [...(recursive ? fieldTree(inside, kind) : fieldList(inside, kind))];
  return `${[...head, ...(fields.length === 0 ? [] : ['', 'FIELDS:', ...fields])].join('\n').trimEnd()}\n`;
}

function signature(name: string, schema: Schema, { required = [] }: Schema): string {
  return `${printable(name)}\t<${typeName(schema)}>${required.includes(name) ? ' -required-' : ''}`;
}

/** Of the value, then of what is in it where that has one of its own. */
function descriptions(schema: Schema, kind: KindSchema): string[] {
  const texts = [schema, kind.resolve(schema), insideOf(schema, kind)].flatMap(({ description }) => description ?? []);
  const lines = [...new Set(texts)].flatMap((text) => wrapped(text, '    '));
  return lines.length === 0 ? ['    <empty>'] : lines;
}

function* fieldList(parent: Schema, kind: KindSchema): Generator<string> {
  for (const [name, schema] of sorted(parent.properties ?? {})) {
    const { description } = schema.description === undefined ? insideOf(schema, kind) : schema;
    yield `  ${signature(name, schema, parent)}`;
    yield* allowed(kind.resolve(schema), '  ');
    yield* wrapped(description ?? '<no description>', '    ');
    yield '';
  }
}

/** What holds itself, as a filter does, is not taken apart again. */
function* fieldTree(parent: Schema, kind: KindSchema, above: readonly Schema[] = []): Generator<string> {
  const within = [...above, parent];
  const indent = '  '.repeat(within.length);
  for (const [name, schema] of sorted(parent.properties ?? {})) {
    const inside = insideOf(schema, kind);
    yield `${indent}${signature(name, schema, parent)}`;
    yield* allowed(kind.resolve(schema), indent);
    if (!within.includes(inside)) yield* fieldTree(inside, kind, within);
  }
}

function allowed({ enum: values }: Schema, indent: string): string[] {
  if (values === undefined) return [];
  return indent === ''
    ? ['ENUM:', ...values.map((value) => `    ${printable(String(value))}`), '']
    : [`${indent}enum: ${values.map((value) => printable(String(value))).join(', ')}`];
}

function sorted(properties: Readonly<Record<string, Schema>>): [string, Schema][] {
  return Object.entries(properties).toSorted(([one], [other]) => (one < other ? -1 : 1));
}

function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).map(printable)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(indent + word);
  }
  return lines;
}
