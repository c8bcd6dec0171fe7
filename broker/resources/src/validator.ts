import { Ajv2020 } from 'ajv/dist/2020.js';
import type { DataValidationCxt } from 'ajv/dist/types/index.js';
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { complaint, show } from './fault.ts';
import type { Complaint, Receipt } from './fault.ts';
import type { KindDefinition } from './kind.ts';
import { nearest } from './nearest.ts';
import { fromPointer, join } from './path.ts';
import type { Path } from './path.ts';
import { inputSchema } from './schema.ts';
import type { OurKeywords, Rule, Tell } from './schema.ts';

/** What a validation found. `mistyped` are places where another type of scalar (or null) stands than the schema wants. */
export interface Findings {
  complaints: Complaint[];
  receipts: { path: Path; message: Receipt['message'] }[];
  mistyped: Mistyped[];
}

/** A scalar of another type than the schema wants. */
export interface Mistyped {
  readonly path: Path;
  readonly wanted: unknown;
  readonly value: unknown;
  /** True for an entry of an open map, such as a label; false for a field that the schema names. */
  readonly entry: boolean;
}

/** Holds a value against a kind: fills in the constant defaults, in place, and tells everything that is wrong. */
export type Validator = (value: object) => Findings;

/** Compiles the schema of a kind, once; costs some milliseconds. */
export function makeValidator(definition: KindDefinition): Validator {
  const validate = compile(definition);
  return (value) => {
    const findings: Findings = { complaints: [], receipts: [], mistyped: [] };
    const tell: Tell = {
      fault: (complaint) => findings.complaints.push(complaint),
      receipt: (path, message) => findings.receipts.push({ path, message }),
    };
    if (!validate.call(tell as never, value)) {
      for (const error of validate.errors ?? []) record(error, value, findings);
    }
    findings.complaints = distinct(findings.complaints);
    return findings;
  };
}

function compile(definition: KindDefinition): ValidateFunction {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    useDefaults: true,
    passContext: true,
    strictTypes: false,
    validateFormats: false,
    messages: false,
  });
  ajv.addVocabulary(['expected', 'defaulted']);
  ajv.addKeyword({
    keyword: 'rule',
    errors: false,
    validate(this: Tell, rule: Rule, value: unknown, _schema?: unknown, at?: DataValidationCxt) {
      rule(value, fromPointer(at?.instancePath ?? '', at?.rootData), this);
      return true;
    },
  });
  return ajv.compile(inputSchema(definition.schema));
}

function record(error: ErrorObject, root: object, findings: Findings): void {
  const { keyword, data } = error;
  if (keyword === 'propertyNames') return; // told by the error inside it
  const schema = (error.parentSchema ?? {}) as OurKeywords & { properties?: Record<string, OurKeywords> };
  const path = fromPointer(error.instancePath, root);
  const scalar = data === null || typeof data === 'number' || typeof data === 'boolean' || typeof data === 'string';
  if (keyword === 'type' && scalar && error.propertyName === undefined) {
    const entry = error.schemaPath.endsWith('/additionalProperties/type');
    findings.mistyped.push({ path, wanted: error.params['type'], value: data, entry });
  }
  findings.complaints.push(translate(error, path, schema));
}

function translate(
  error: ErrorObject,
  path: Path,
  schema: OurKeywords & { properties?: Record<string, OurKeywords> },
): Complaint {
  const { keyword, data, params } = error;
  if (keyword === 'required') {
    const name = params['missingProperty'] as string;
    const at = join(path, name);
    return complaint(at, expectedOf(schema.properties?.[name]), 'nothing', { text: `missing field(s): ${at}` });
  }
  if (keyword === 'additionalProperties') {
    const name = params['additionalProperty'] as string;
    const known = Object.keys(schema.properties ?? {}).filter((field) => field !== 'status');
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
  const suggestion =
    keyword === 'enum' && typeof data === 'string' ? nearest(data, params['allowedValues'] as string[]) : undefined;
  const text = keyword === 'type' ? undefined : `invalid value: ${got}`;
  return complaint(path, expectedOf(schema), got, { ...(text === undefined ? {} : { text }), suggestion });
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

// A value that is too short often has the wrong letters, too: one complaint is enough.
function distinct(complaints: Complaint[]): Complaint[] {
  const seen = new Set<string>();
  return complaints.filter(({ path, expected }) => {
    const key = `${path}\n${expected}`;
    return !seen.has(key) && seen.add(key);
  });
}
