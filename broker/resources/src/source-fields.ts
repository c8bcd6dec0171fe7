import { Type } from 'typebox';
import { DestinationSchema } from './destination.ts';
import { OverridesSchema } from './overrides.ts';

/** The fields that the specs of all sources have (duck type SourceSpec): where events go, and what is set on each. */
export const SOURCE = {
  sink: DestinationSchema,
  ceOverrides: Type.Optional(OverridesSchema),
};
