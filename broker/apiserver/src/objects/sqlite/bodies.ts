import { crc32 } from 'node:zlib';

import { keyText } from '../object.ts';
import type { KubernetesObject, ObjectKey } from '../object.ts';
import { frozen } from '../transaction.ts';
import type { Seal } from './seal.ts';

/** How an object stands in a table. */
export interface Body {
  readonly body: string | Uint8Array;
  readonly sum: number;
}

/** Turns objects into what is stored and back. A Secret is sealed as a whole: annotations repeat what is in it. */
export interface Bodies {
  encode(key: ObjectKey, object: KubernetesObject): Body;
  /** Throws when it is not what was encoded for that key. Says nothing of what it holds. */
  decode(key: ObjectKey, stored: Body): KubernetesObject;
}

export function bodiesWith(seal: Seal): Bodies {
  return {
    encode(key, object) {
      const text = JSON.stringify(object);
      const body = isSecret(key) ? seal.seal(keyText(key), text) : text;
      return { body, sum: sumOf(key, body) };
    },
    decode(key, { body, sum }) {
      if (sumOf(key, body) !== sum)
        throw new Error(`${keyText(key)} does not have the checksum that it was written with`);
      const text = typeof body === 'string' ? body : seal.open(keyText(key), body);
      return frozen(JSON.parse(text) as KubernetesObject);
    },
  };
}

function isSecret({ group, kind }: ObjectKey): boolean {
  return group === '' && kind === 'Secret';
}

function sumOf(key: ObjectKey, body: string | Uint8Array): number {
  return crc32(body, crc32(keyText(key)));
}
