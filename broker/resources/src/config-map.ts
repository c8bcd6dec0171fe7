import { Type } from 'typebox';
import { immutableData } from './immutable.ts';
import type { KindDefinition } from './kind.ts';
import { MetadataSchema } from './metadata.ts';
import type { Metadata } from './metadata.ts';
import { Fields, Texts } from './schema.ts';
import { base64Rule, DATA_KEYS } from './secret.ts';

/** Texts by name (core v1). */
export interface ConfigMap {
  apiVersion: string;
  kind: 'ConfigMap';
  metadata: Metadata;
  data?: Record<string, string>;
  /** Base64. */
  binaryData?: Record<string, string>;
  immutable?: boolean;
}

/** The kind ConfigMap. */
export const configMapKind: KindDefinition<ConfigMap> = {
  kind: 'ConfigMap',
  apiVersions: ['v1'],
  schema: Fields({
    apiVersion: Type.String(),
    kind: Type.Literal('ConfigMap'),
    metadata: MetadataSchema,
    data: Type.Optional(Texts({ propertyNames: DATA_KEYS, expected: 'an object of texts' })),
    binaryData: Type.Optional(
      Texts({ propertyNames: DATA_KEYS, rule: base64Rule, expected: 'an object of texts in base64' }),
    ),
    immutable: Type.Optional(Type.Boolean()),
  }),
  immutable: (before, after) => immutableData(before, after, ['data', 'binaryData']),
};
