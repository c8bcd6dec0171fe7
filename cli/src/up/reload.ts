import type { Logger } from '@millrace/bus/telemetry/logger';
import { formatFault } from '@millrace/resources/fault';
import type { Declared } from '@millrace/resources/manifest';
import { keyOf } from '@millrace/resources/resource';

import type { ReadManifests } from './manifests.ts';

/** What a change of manifests and code is brought to. */
export interface ReloadOptions {
  /** Reads the manifests as they are now. */
  readonly readAgain: () => ReadManifests;
  /** What holds now. */
  readonly read: ReadManifests;
  /** Resolves when what is declared runs. */
  readonly apply: (declared: readonly Declared[]) => Promise<void>;
  /** Looks at the code of every function again. */
  readonly lookAgain: () => void;
  readonly logger: Logger;
}

/**
 * Makes the function that reads manifests and code again. Manifests with a fault change nothing: what is wrong is told,
 * each with its place, and what held before goes on. Never rejects.
 */
export function makeReload({ readAgain, read, apply, lookAgain, logger }: ReloadOptions): () => Promise<void> {
  let held = textsOf(read);
  let told = '';

  const follow = async (next: ReadManifests): Promise<void> => {
    const faults = next.faults.map(formatFault);
    const before = told;
    told = faults.join('\n');
    if (told !== '' && told !== before) {
      for (const fault of faults) logger.error(fault);
      logger.warn('the manifests have faults: what they said before goes on');
    }
    if (told !== '') return;
    const texts = textsOf(next);
    const changes = changesOf(held, texts);
    if (before !== '') logger.info('the manifests have no faults any more');
    if (changes.length === 0) return;
    await apply(next.declared);
    held = texts;
    logger.info(`manifests: ${changes.join(', ')}`);
  };

  return async () => {
    try {
      await follow(readAgain());
    } catch (error) {
      logger.error(`the manifests could not be applied: ${(error as Error).message}`);
    }
    lookAgain();
  };
}

/** What each resource says, and the file in which it does. */
function textsOf({ declared }: ReadManifests): Map<string, string> {
  return new Map(declared.map((it) => [keyOf(it.resource), JSON.stringify([it.resource, it.place.file])]));
}

function changesOf(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const removed = [...before.keys()].filter((key) => !after.has(key)).map((key) => `${key} is gone`);
  const others = [...after].flatMap(([key, text]) => {
    const old = before.get(key);
    return old === text ? [] : [`${key} is ${old === undefined ? 'new' : 'changed'}`];
  });
  return [...removed, ...others];
}
