import { createRequire } from 'node:module';

import type { Ajv2020 } from 'ajv/dist/2020.js';
import type { RE2JS } from 're2js';

import { SchemaFault } from './fault.ts';

/** Says what is wrong with a value: the first thing, with where it is; undefined when nothing is. */
export type Check = (value: unknown) => string | undefined;

/** Far beyond what describes an event; each is compiled into code that stays. */
const MAX_SCHEMA_BYTES = 256 * 1024;

/** Which drafts of JSON Schema are read, by what their `$schema` begins with, and which module of ajv reads them. */
const DRAFTS: readonly (readonly [prefix: string, module: string])[] = [
  ['json-schema.org/draft/2020-12/', 'ajv/dist/2020.js'],
  ['json-schema.org/draft/2019-09/', 'ajv/dist/2019.js'],
  ['json-schema.org/draft-07/', 'ajv'],
];
const NEWEST = DRAFTS[0]![1];

/**
 * Compiles a JSON Schema (drafts 2020-12, 2019-09 and 07). References lead into the schema itself only, nothing is
 * fetched; `format` is an annotation, as draft 2020-12 has it; patterns are matched in linear time. Throws a
 * {@link SchemaFault}. The compiler is loaded by the first call: whoever has no schema does not pay for it.
 */
export function compileSchema(text: string): Check {
  const check = compiled.get(text) ?? compile(text);
  compiled.delete(text);
  compiled.set(text, check);
  for (const oldest of compiled.keys()) {
    if (compiled.size <= MOST_COMPILED) break;
    compiled.delete(oldest);
  }
  return check;
}

// The same text gives the same check, and every change of anything that is declared asks for all of them again.
const compiled = new Map<string, Check>();
const MOST_COMPILED = 1_000;

function compile(text: string): Check {
  const schema = read(text);
  if (typeof schema === 'boolean') return schema ? () => undefined : () => 'the schema takes nothing';
  const ajv = compilerFor(schema);
  let validate: ReturnType<Ajv2020['compile']>;
  try {
    validate = ajv.compile(schema);
  } catch (error) {
    throw new SchemaFault('a JSON Schema', (error as Error).message);
  }
  return (value) => {
    try {
      if (validate(value)) return undefined;
    } catch (error) {
      // A schema that refers to itself follows the value as deep as it goes.
      if (error instanceof RangeError) return 'it is nested too deeply to be held against the schema';
      throw error;
    }
    const [first] = validate.errors ?? [];
    return `${first?.instancePath || 'it'} ${first?.message ?? 'does not match the schema'}${detailOf(first?.params)}`;
  };
}

function read(text: string): Record<string, unknown> | boolean {
  const length = Buffer.byteLength(text);
  if (length > MAX_SCHEMA_BYTES) throw new SchemaFault(`at most ${MAX_SCHEMA_BYTES} bytes`, `${length} bytes`);
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (error) {
    throw new SchemaFault('a JSON Schema, as JSON', (error as Error).message);
  }
  if (typeof schema === 'boolean') return schema;
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    throw new SchemaFault('a JSON Schema: an object', Array.isArray(schema) ? 'a list' : JSON.stringify(schema));
  if ('$async' in schema) throw new SchemaFault('a JSON Schema', '$async, which is no keyword of it');
  return schema as Record<string, unknown>;
}

function compilerFor({ $schema }: Record<string, unknown>): Ajv2020 {
  const require = createRequire(import.meta.url);
  const said = typeof $schema === 'string' ? $schema.replace(/^https?:\/\//, '') : undefined;
  const module = said === undefined ? NEWEST : DRAFTS.find(([prefix]) => said.startsWith(prefix))?.[1];
  if (module === undefined)
    throw new SchemaFault('$schema to be draft 2020-12, 2019-09 or draft-07', JSON.stringify($schema));
  const { default: Compiler } = require(module) as { default: typeof Ajv2020 };
  return new Compiler({
    // Keywords that nobody knows are annotations, as JSON Schema has it.
    strict: false,
    validateFormats: false,
    logger: false,
    code: { regExp: linearPatterns(require) },
  });
}

/** A pattern of a schema meets data from outside: with backtracking, a few bytes could hold everything up. */
function linearPatterns(require: NodeJS.Require) {
  const { RE2JS: Engine } = require('re2js') as { RE2JS: typeof RE2JS };
  const engine = (pattern: string) => {
    const matcher = Engine.compile(pattern);
    // The compiler tells patterns apart by their text.
    return { test: (value: string) => matcher.matcher(value).find(), toString: () => pattern };
  };
  return Object.assign(engine, { code: 'linearPatterns' });
}

/** What ajv says in its parameters alone. */
function detailOf(parameters: Record<string, unknown> | undefined): string {
  const { additionalProperty, unevaluatedProperty, allowedValues, allowedValue } = parameters ?? {};
  const unknown = additionalProperty ?? unevaluatedProperty;
  if (typeof unknown === 'string') return `: ${JSON.stringify(shorten(unknown))}`;
  const allowed = allowedValues ?? allowedValue;
  return allowed === undefined ? '' : `: ${shorten(JSON.stringify(allowed))}`;
}

const MOST_SHOWN = 200;

function shorten(text: string): string {
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN - 3)}...` : text;
}
