import type { Status } from '@millrace/apiserver/api/status';

import { ApiRefusal } from '../api-client.ts';
import type { ApiClient, ApiEvent } from '../api-client.ts';
import type { Query } from '../client.ts';
import { pathOf } from './discovery.ts';
import type { Selected } from './selection.ts';

/** What a watch asks for beside what is selected. */
export interface ChangesOptions {
  readonly query?: Query;
  readonly accept?: string;
  /** Ends it. Default: nothing does. */
  readonly signal?: AbortSignal;
}

/**
 * What there is, as events of the type ADDED, and then what changes. A watch that the server ends is begun again where it
 * ended; bookmarks are not told. Rejects with a {@link CommandFailure} when the server has gone.
 */
export async function* changes<T>(
  client: ApiClient,
  { type, namespace, name }: Selected,
  { query = {}, accept, signal }: ChangesOptions,
): AsyncGenerator<ApiEvent<T>> {
  const only = name === undefined ? {} : { fieldSelector: `metadata.name=${name}` };
  // The first watch begins with all that is there.
  let after: string | undefined;
  const isOver = () => signal?.aborted === true;
  while (!isOver()) {
    const request = {
      path: pathOf(type, namespace),
      query: { ...query, ...only, allowWatchBookmarks: 'true', resourceVersion: after },
      ...(accept !== undefined && { accept }),
    };
    for await (const event of await client.watch(request, signal)) {
      if (event.type === 'ERROR') {
        const status = event.object as Status;
        if (status.code !== 410) throw new ApiRefusal(status, 'GET');
        // Too long ago to be told of: what there is now is told again.
        after = undefined;
        break;
      }
      after = versionOf(event.object) ?? after;
      if (event.type !== 'BOOKMARK') yield event as ApiEvent<T>;
    }
  }
}

interface Versioned {
  readonly metadata?: { readonly resourceVersion?: string };
  /** Of a table. */
  readonly rows?: readonly { readonly object?: Versioned }[];
}

function versionOf(object: unknown): string | undefined {
  const { rows, metadata } = object as Versioned;
  return rows?.at(-1)?.object?.metadata?.resourceVersion ?? metadata?.resourceVersion;
}
