import type { Clock } from '../clock.ts';
import type { Installer } from '../packages/installer.ts';
import type { Requirements } from '../packages/requirements.ts';

/** From the first failure on, doubled with each further one. */
const RETRY_MS = 30_000;
const MAX_RETRY_MS = 10 * 60_000;

/** What a revision needs before its first instance can begin: its packages. */
export interface Preparation {
  /** Undefined until it is known: then where they are, or that there are none to install. */
  readonly prepared: { readonly packages: string | undefined } | undefined;
  readonly state: 'waiting' | 'installing' | 'failed' | 'done';
  /** Why it failed last; empty otherwise. */
  readonly fault: string;
  /** Resolves when it is prepared. Soon after a failure it rejects with that; later it tries again. */
  run(): Promise<{ readonly packages: string | undefined }>;
  /** Tries no more by itself. */
  stop(): void;
}

/** Begins at once with what a revision needs; after a failure it tries again, after longer and longer waits. */
export function prepare(
  requirements: Requirements | undefined,
  options: {
    readonly installer: Installer;
    readonly clock: Clock;
    readonly secrets: readonly string[];
    readonly line: (text: string, stream: 'stdout' | 'stderr') => void;
  },
): Preparation {
  const { installer, clock, secrets, line } = options;
  let prepared = requirements === undefined ? { packages: undefined as string | undefined } : undefined;
  let state: Preparation['state'] = prepared === undefined ? 'waiting' : 'done';
  let failure: Error | undefined;
  let failures = 0;
  let running: Promise<{ packages: string | undefined }> | undefined;
  let cancel = (): void => {};
  let isStopped = false;

  const install = async (): Promise<{ packages: string | undefined }> => {
    state = 'waiting';
    try {
      const told: typeof line = (text, stream) => {
        state = 'installing';
        line(text, stream);
      };
      prepared = { packages: await installer.install(requirements!, { line: told, secrets }) };
      state = 'done';
      failure = undefined;
      return prepared;
    } catch (error) {
      state = 'failed';
      failure = error as Error;
      failures += 1;
      if (!isStopped) cancel = clock.after(Math.min(RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS), again);
      throw error;
    }
  };
  const begin = (): Promise<{ packages: string | undefined }> => {
    running = install();
    running.catch(() => {});
    return running;
  };
  const again = (): void => void begin();
  if (prepared === undefined) again();

  return {
    get prepared() {
      return prepared;
    },
    get state() {
      return state;
    },
    get fault() {
      return state === 'failed' ? failure!.message : '';
    },
    run: () => (prepared === undefined ? running! : Promise.resolve(prepared)),
    stop() {
      isStopped = true;
      cancel();
    },
  };
}
