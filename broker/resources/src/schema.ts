import { Type } from 'typebox';
import type { TProperties, TSchema, TSchemaOptions } from 'typebox';
import type { Complaint } from './fault.ts';
import type { Path } from './path.ts';

/** What a {@link Rule} says when it finds something. */
export interface Tell {
  fault(complaint: Complaint): void;
  /** An assumption that was made about the field at the path. */
  receipt(path: Path, message: string, more?: Assumed): void;
  /** What we take as it is said, and Knative refuses. */
  refusal(complaint: Complaint): void;
}

/** What else there is to say of an assumption. */
export interface Assumed {
  /** Knative refuses in place of assuming; begun with its own text. */
  readonly refusal?: Complaint;
  /** The reference that it is about; the namespace is that of the resource unless said. */
  readonly reference?: { readonly kind: string; readonly name: string; readonly namespace?: string | undefined };
}

/**
 * What a schema cannot say about a value: called wherever the schema stands and the value is of its type, before
 * defaults are filled in, and also when parts of the value are wrong: it must not trust what is inside. It never throws.
 */
export type Rule<Value = unknown> = (value: Value, path: Path, tell: Tell) => void;

/**
 * Beside the standard keywords a schema may carry ours:
 * - `rule`: a {@link Rule}; being a function it does not show in the exported JSON;
 * - `expected`: how a message names what the field wants ("an integer >= 0");
 * - `defaulted`: says in words what an absent field becomes. Such a field (like one with a `default`) may be left out
 *   by who writes, and is there for who reads.
 */
export interface OurKeywords<Value = unknown> {
  rule?: Rule<Value>;
  expected?: string;
  defaulted?: string;
}

/** An object of exactly these fields; any other one is refused. */
export function Fields<Properties extends TProperties>(
  properties: Properties,
  options: TSchemaOptions & OurKeywords<Record<string, unknown>> = {},
) {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

/** An object of names to texts, such as labels. */
export function Texts(options: TSchemaOptions & OurKeywords<Record<string, unknown>> = {}) {
  return Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' }, ...options });
}

/** An object that is Kubernetes' own business: taken as it is. */
export function Open(options: TSchemaOptions & OurKeywords = {}) {
  return Type.Unsafe<Record<string, unknown>>({ type: 'object', ...options });
}

/** A text that is not empty. */
export function Text(options: TSchemaOptions & OurKeywords<string> = {}) {
  return Type.String({ minLength: 1, expected: 'a non-empty text', ...options });
}

/**
 * The same schema as it is for who writes: fields that have a default are not required. This is what is published
 * (editors, CRDs) and what input is held against.
 */
export function inputSchema(schema: TSchema): TSchema {
  return relax(schema) as TSchema;
}

function relax(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(relax);
  if (typeof node !== 'object' || node === null) return node;
  const relaxed: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(node)) {
    if (keyword === 'default') relaxed[keyword] = value;
    else relaxed[keyword] = NAMED.has(keyword) ? relaxEach(value as object) : relax(value);
  }
  const { required, properties } = node as { required?: string[]; properties?: Record<string, OurKeywords> };
  if (Array.isArray(required) && properties !== undefined) {
    const still = required.filter((name) => !hasDefault(properties[name]));
    if (still.length === 0) delete relaxed['required'];
    else relaxed['required'] = still;
  }
  return relaxed;
}

// Of these the names are not keywords: a field may be called `default`.
const NAMED = new Set(['properties', '$defs']);

function relaxEach(schemas: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, relax(schema)]));
}

function hasDefault(schema: object | undefined): boolean {
  return schema !== undefined && ('default' in schema || 'defaulted' in schema);
}
