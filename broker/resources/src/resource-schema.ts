import { Type } from 'typebox';
import type { TSchema, TSchemaOptions } from 'typebox';
import { MetadataSchema } from './metadata.ts';
import { Fields } from './schema.ts';
import type { OurKeywords } from './schema.ts';

/** The schema of a whole resource that says nothing beside its `spec`; what a server has written as `status` is dropped. */
export function resourceSchema(
  kind: string,
  spec: TSchema,
  options: TSchemaOptions & OurKeywords<Record<string, unknown>> = {},
) {
  return Fields(
    {
      apiVersion: Type.String(),
      kind: Type.Literal(kind),
      metadata: MetadataSchema,
      spec,
      status: Type.Optional(Type.Unknown()),
    },
    options,
  );
}
