import { decodeMessage } from '@millrace/event/http';

import type { Gatekeeper } from '../security/gatekeeper.ts';
import { DoorRefusal } from './paths.ts';
import type { Door } from './paths.ts';

/** A door that lets in what its gatekeeper does. What only asks how events are sent is let in. */
export function guardedDoor(path: string, door: Door, gatekeeper: Gatekeeper): Door {
  return async (request) => {
    const { method, rawHeaders, body } = request;
    if (method !== 'OPTIONS') {
      const turned = await gatekeeper.check(path, rawHeaders, () => decodeMessage(rawHeaders, body) ?? []);
      if (turned !== undefined) throw new DoorRefusal(turned.status, turned.detail);
    }
    return door(request);
  };
}

/** A door that shows a document to whoever asks for it. */
export function documentDoor(document: object): Door {
  const body = Buffer.from(JSON.stringify(document));
  return async ({ method, rest }) => {
    if (rest !== '') throw new DoorRefusal(404, 'there is nothing here');
    if (method !== 'GET' && method !== 'HEAD') throw new DoorRefusal(405, `${method} is not for this: GET it`);
    const rawHeaders = ['Content-Type', 'application/json', 'Cache-Control', 'public, max-age=300'];
    return { status: 200, rawHeaders, body: method === 'HEAD' ? new Uint8Array() : body };
  };
}
