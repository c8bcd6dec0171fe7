import { Ajv2020 } from 'ajv/dist/2020.js';
import type { DataValidationCxt } from 'ajv/dist/types/index.js';
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import type { Complaint } from './fault.ts';
import type { KindDefinition } from './kind.ts';
import { fromPointer } from './path.ts';
import type { Path } from './path.ts';
import { inputSchema } from './schema.ts';
import type { Assumed, Rule, Tell } from './schema.ts';
import { translate } from './translate.ts';

/** What a validation found. */
export interface Findings {
  complaints: Complaint[];
  receipts: Assumption[];
  /** What we take as it is said, and Knative refuses. */
  refusals: Complaint[];
  /** Places where another type of scalar (or null) stands than the schema wants. */
  mistyped: Mistyped[];
}

/** What was assumed, and about which field. */
export interface Assumption extends Assumed {
  readonly path: Path;
  readonly message: string;
}

/** A scalar of another type than the schema wants. */
export interface Mistyped {
  readonly path: Path;
  readonly wanted: unknown;
  readonly value: unknown;
  /** True for an entry of an open map, such as a label; false for a field that the schema names. */
  readonly entry: boolean;
}

// Schemas are constants, and what is compiled from them depends on nothing else.
const compiled = new WeakMap<KindDefinition, ValidateFunction>();

/**
 * Holds a value against a kind: fills in the constant defaults, in place, and tells everything that is wrong. A schema
 * is compiled (some ten milliseconds) when its kind is first seen.
 */
export function validate(definition: KindDefinition, value: object): Findings {
  const isValid = compiled.get(definition) ?? compile(definition);
  compiled.set(definition, isValid);
  const findings: Findings = { complaints: [], receipts: [], refusals: [], mistyped: [] };
  const tell: Tell = {
    fault: (complaint) => findings.complaints.push(complaint),
    receipt: (path, message, more) => findings.receipts.push({ path, message, ...more }),
    refusal: (complaint) => findings.refusals.push(complaint),
  };
  if (!isValid.call(tell, value)) {
    for (const error of isValid.errors ?? []) record(error, value, findings);
  }
  findings.complaints = distinct(findings.complaints);
  return findings;
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
    validate(this: Tell, rule: Rule, value: unknown, schema?: { type?: string }, at?: DataValidationCxt) {
      if (sortOf(value) === schema?.type) rule(value, fromPointer(at?.instancePath ?? '', at?.rootData), this);
      return true;
    },
  });
  return ajv.compile(inputSchema(definition.schema));
}

function sortOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}

function record(error: ErrorObject, root: object, findings: Findings): void {
  const { keyword, data } = error;
  if (keyword === 'propertyNames') return; // told by the error inside it
  const path = fromPointer(error.instancePath, root);
  const scalar = data === null || typeof data === 'number' || typeof data === 'boolean' || typeof data === 'string';
  if (keyword === 'type' && scalar && error.propertyName === undefined) {
    const entry = error.schemaPath.endsWith('/additionalProperties/type');
    findings.mistyped.push({ path, wanted: error.params['type'], value: data, entry });
  }
  findings.complaints.push(translate(error, path));
}

// A value that is too short often has the wrong letters, too: one complaint is enough.
function distinct(complaints: Complaint[]): Complaint[] {
  const seen = new Set<string>();
  return complaints.filter(({ path, expected }) => {
    const key = `${path}\n${expected}`;
    return !seen.has(key) && seen.add(key);
  });
}
