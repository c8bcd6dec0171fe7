import type { ErrorObject } from 'ajv/dist/2020.js';
import { complaint, show } from './fault.ts';
import type { Complaint } from './fault.ts';
import { nearest } from './nearest.ts';
import { join } from './path.ts';
import type { Path } from './path.ts';
import type { OurKeywords } from './schema.ts';

/** Says in our words, and begun with Knative's, what a schema found wrong. `path` is where the error's value stands. */
export function translate(error: ErrorObject, path: Path): Complaint {
  const { keyword, data, params } = error;
  const schema = (error.parentSchema ?? {}) as OurKeywords & { properties?: Record<string, OurKeywords> };
  if (keyword === 'required') {
    const name = params['missingProperty'] as string;
    const at = join(path, name);
    return complaint(at, expectedOf(schema.properties?.[name]), 'nothing', { text: `missing field(s): ${at}` });
  }
  if (keyword === 'additionalProperties') {
    const name = params['additionalProperty'] as string;
    // A field of which nothing is said is one that we ignore.
    const known = Object.entries(schema.properties ?? {}).flatMap(([field, said]) => (isEmpty(said) ? [] : [field]));
    const at = join(path, name);
    return complaint(at, `one of ${known.join(', ')}`, show('', name), {
      text: `unknown field ${show('', at)}`,
      suggestion: nearest(name, known),
    });
  }
  if (error.propertyName !== undefined) {
    const name = show('', error.propertyName);
    return complaint(join(path, error.propertyName), expectedOf(schema), name, { text: `invalid key name ${name}` });
  }
  const got = show(path, data);
  const suggestion = typeof data === 'string' ? meant(keyword, data, params) : undefined;
  const text = textOf(keyword, path, got);
  return complaint(path, expectedOf(schema), got, { ...(text === undefined ? {} : { text }), suggestion });
}

function textOf(keyword: string, path: Path, got: string): string | undefined {
  if (keyword === 'type') return undefined;
  // To Go an empty list and none are the same.
  return keyword === 'minItems' ? `missing field(s): ${path}` : `invalid value: ${got}`;
}

function isEmpty(schema: object): boolean {
  return Object.keys(schema).length === 0;
}

function meant(keyword: string, text: string, params: Record<string, unknown>): string | undefined {
  if (keyword === 'enum') return nearest(text, params['allowedValues'] as string[]);
  if (keyword !== 'type') return undefined;
  if (params['type'] === 'integer' && /^-?\d{1,15}$/.test(text)) return text;
  if (params['type'] === 'boolean')
    return /^(true|yes|on)$/i.test(text) ? 'true' : /^(false|no|off)$/i.test(text) ? 'false' : undefined;
  return undefined;
}

const SORTS: Record<string, string> = {
  string: 'a text',
  integer: 'an integer',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

function expectedOf(schema: OurKeywords | undefined): string {
  const { expected, enum: values, type } = (schema ?? {}) as OurKeywords & { enum?: unknown[]; type?: string };
  if (expected !== undefined) return expected;
  if (values !== undefined) return `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`;
  return SORTS[type ?? ''] ?? 'a value';
}
