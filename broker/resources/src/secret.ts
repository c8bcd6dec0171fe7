import { Type } from 'typebox';
import { complaint } from './fault.ts';
import { immutableData } from './immutable.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import type { Metadata } from './metadata.ts';
import { join } from './path.ts';
import { Fields, Texts } from './schema.ts';
import type { Rule } from './schema.ts';

/**
 * Texts by name that nobody may see (core v1). Faults, receipts and errors never hold them; whoever prints the resource
 * itself is responsible for what it prints.
 */
export interface Secret {
  apiVersion: string;
  kind: 'Secret';
  metadata: Metadata;
  /** `Opaque` unless said. */
  type: string;
  /** Base64. */
  data?: Record<string, string>;
  /** As it is; wins over `data` for the same key. */
  stringData?: Record<string, string>;
  immutable?: boolean;
}

/** What the keys of a Secret or a ConfigMap may be. */
export const DATA_KEYS = {
  pattern: '^[-._a-zA-Z0-9]+$',
  maxLength: 253,
  expected: 'a key of letters, digits, "-", "_" and "."',
};

const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;

/** Every value is base64 (RFC 4648 §4); line breaks are allowed, as `base64` writes them. */
export const base64Rule: Rule<Record<string, unknown>> = (data, path, tell) => {
  for (const [key, value] of Object.entries(data)) {
    if (typeof value !== 'string' || BASE64.test(value.replaceAll(/\s/g, ''))) continue;
    const suggestion = path === 'data' ? 'stringData, for plain text' : undefined;
    tell.fault(complaint(join(path, key), 'base64', 'text that is not base64 (hidden)', { suggestion }));
  }
};

/** The values by key, decoded as UTF-8, `stringData` over `data`. The caller keeps them out of logs and errors. */
export function secretValues(secret: Secret): Map<string, string> {
  const values = new Map<string, string>();
  for (const [key, value] of Object.entries(secret.data ?? {})) {
    values.set(key, Buffer.from(value, 'base64').toString('utf8'));
  }
  for (const [key, value] of Object.entries(secret.stringData ?? {})) values.set(key, value);
  return values;
}

/** The kind Secret. */
export const secretKind: KindDefinition<Secret> = {
  kind: 'Secret',
  apiVersions: ['v1'],
  schema: Fields({
    apiVersion: Type.String(),
    kind: Type.Literal('Secret'),
    metadata: MetadataSchema,
    type: Type.String({ default: 'Opaque' }),
    data: Type.Optional(
      Texts({ propertyNames: DATA_KEYS, rule: base64Rule, expected: 'an object of texts in base64' }),
    ),
    stringData: Type.Optional(Texts({ propertyNames: DATA_KEYS, expected: 'an object of texts' })),
    immutable: Type.Optional(Type.Boolean()),
  }),
  immutable: (before, after) => immutableData(before, after, ['data', 'stringData', 'type']),
};
