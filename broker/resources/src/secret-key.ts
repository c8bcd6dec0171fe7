import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Fields, Text } from './schema.ts';

/** One value of a Secret or a ConfigMap in the same namespace, by name and key. */
export const KeySelectorSchema = Fields(
  {
    name: Text({ expected: 'the name of a Secret or ConfigMap' }),
    key: Text({ expected: 'one of its keys' }),
    optional: Type.Optional(Type.Boolean()),
  },
  { expected: 'an object with name and key' },
);

/** What a {@link KeySelectorSchema} holds. */
export type KeySelector = Static<typeof KeySelectorSchema>;

/** A value that comes from a Secret: `{ secretKeyRef: { name, key } }`. */
export const FromSecretSchema = Fields(
  { secretKeyRef: Type.Optional(KeySelectorSchema) },
  { expected: 'an object with secretKeyRef' },
);

/** What a {@link FromSecretSchema} holds. */
export type FromSecret = Static<typeof FromSecretSchema>;
