import { Type } from 'typebox';
import { Fields, Texts } from './schema.ts';

/** What a source sets on every event that it makes (CloudEventOverrides): extensions by name. */
export const OverridesSchema = Fields(
  {
    extensions: Type.Optional(
      Texts({
        propertyNames: {
          pattern: '^[a-z0-9]+$',
          expected: 'the name of an extension: lower-case letters and digits',
        },
        expected: 'an object of extension names to texts',
      }),
    ),
  },
  { expected: 'an object with extensions' },
);
