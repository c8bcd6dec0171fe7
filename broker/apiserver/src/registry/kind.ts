/** A JSON Schema in the words that both ajv and OpenAPI know, and our annotations. */
export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly description?: string;
  readonly expected?: string;
  readonly defaulted?: string;
  readonly [keyword: string]: unknown;
}

/** A column of what `kubectl get` shows, beside the name. */
export interface Column {
  readonly name: string;
  /** A `date` is shown as its age. */
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** 0 is always shown, 1 only with `-o wide`. Default: 0. */
  readonly priority?: number;
  /** Where the value stands, as the JSONPath of a CustomResourceDefinition; or what computes it, for core kinds. */
  readonly value: string | ((object: object) => unknown);
}

/** One version under which a kind is served. All have the same fields, but for those of a {@link SpecConversion}. */
export interface ServedVersion {
  readonly name: string;
  /** How its `spec` differs from the one that is stored. */
  readonly conversion?: SpecConversion;
  /** Told to everybody who uses it. */
  readonly deprecated?: string;
}

type Spec = Readonly<Record<string, unknown>>;

/** Between the spec of a version and the one that is stored. */
export interface SpecConversion {
  /** Throws an Error that says what is wrong with a spec that cannot be stored. */
  toStored(spec: Spec): Spec;
  fromStored(spec: Spec): Spec;
}

/** A kind that the API serves: what discovery, tables and validation have to know of it. */
export interface ServedKind {
  /** '' for the core. */
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** The first is the one that clients prefer. */
  readonly versions: readonly ServedVersion[];
  /** The version in which objects are stored. */
  readonly storage: string;
  readonly columns: readonly Column[];
  /** Of the whole object; `metadata` is the same for all kinds. */
  readonly schema: JsonSchema;
  /** True when `status` is a subresource: then it is written there and nowhere else, and generations are counted. */
  readonly hasStatus: boolean;
  /** Fields beside name and namespace that a field selector may name. */
  readonly selectable: readonly string[];
  /** The keys by which the lists of a core kind are merged; undefined for kinds that know no strategic merge patch. */
  readonly mergeKeys?: MergeKeys;
}

/** By the path of a list (`metadata.finalizers`): the field that tells its items apart, or '' for a set of scalars. */
export type MergeKeys = Readonly<Record<string, string>>;

/** The apiVersion of a kind in one of its versions: `eventing.knative.dev/v1`, `v1`. */
export function apiVersionOf({ group }: Pick<ServedKind, 'group'>, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

/** How messages of Kubernetes call what a kind's objects are kept under: `triggers.eventing.knative.dev`, `secrets`. */
export function resourceText({ group, plural }: Pick<ServedKind, 'group' | 'plural'>): string {
  return group === '' ? plural : `${plural}.${group}`;
}
