import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '../clock.ts';
import { installEnvironment, secretsOf } from './install-environment.ts';
import { releaseLock, takeLock } from './install-lock.ts';
import { node, python } from './languages.ts';
import type { Language } from './languages.ts';
import type { Requirements } from './requirements.ts';
import { runCommand } from './run-command.ts';

/** Installs packages, each set once. */
export interface Installer {
  /**
   * Resolves with the folder of the packages: one with a `node_modules`, or one for Python's path. `line` hears what the
   * installer says, when it is run for this. Rejects with an {@link InstallFailed}.
   */
  install(requirements: Requirements, options: InstallOptions): Promise<string>;
  /** Ends what is being installed. Resolves when nothing of it runs any more. Idempotent. */
  close(): Promise<void>;
}

export interface InstallOptions {
  readonly line: (text: string, stream: 'stdout' | 'stderr') => void;
  readonly secrets: readonly string[];
}

/** Packages could not be installed. The message is for people and has the last lines of the installer. */
export class InstallFailed extends Error {
  override readonly name = 'InstallFailed';
}

const LANGUAGES: Record<Requirements['language'], Language> = { node, python };
const TIMEOUT_MS = 10 * 60_000;
/** How often somebody else's installation is looked at. */
const LOOK_MS = 200;

/**
 * Installs into `<cacheFolder>/<language>/<hash>`, of which several processes may be the users: what is there is whole,
 * as it was made beside it and put there at once, and a lock lets one do it while the others wait.
 */
export function openInstaller(options: {
  readonly cacheFolder: string;
  /** Of this process: the installer gets what leads to a registry, and nothing else. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}): Installer {
  const { cacheFolder, clock } = options;
  const environment = installEnvironment(options.environment);
  const hidden = secretsOf(environment);
  const closing = new AbortController();
  const running = new Map<string, Promise<string>>();
  const platforms = new Map<Language, Promise<string>>();

  return {
    async install(requirements, told) {
      const language = LANGUAGES[requirements.language];
      const key = createHash('sha256')
        .update(await platformOf(language))
        .update(requirements.hash)
        .digest('hex');
      const folder = join(cacheFolder, requirements.language, key.slice(0, 32));
      if (existsSync(folder)) return folder;
      let installed = running.get(folder);
      if (installed === undefined) {
        installed = once(language, requirements, folder, told).finally(() => running.delete(folder));
        running.set(folder, installed);
      }
      return installed;
    },
    async close() {
      closing.abort(new InstallFailed('the installation was ended, as all is being closed'));
      await Promise.allSettled(running.values());
    },
  };

  function platformOf(language: Language): Promise<string> {
    const known = platforms.get(language);
    if (known !== undefined) return known;
    const { platform } = language;
    const asked = typeof platform === 'function' ? platform(outputOf) : Promise.resolve(platform.join(' '));
    platforms.set(language, asked);
    // A language that is not there may be installed meanwhile.
    asked.catch(() => platforms.delete(language));
    return asked;
  }

  async function outputOf(command: readonly string[]): Promise<string> {
    const lines: string[] = [];
    await run(command, cacheFolder, { line: (text) => lines.push(text), secrets: [] });
    return lines.join('\n');
  }

  /** By this process or, when it has the lock, by another one. */
  async function once(
    language: Language,
    requirements: Requirements,
    folder: string,
    told: InstallOptions,
  ): Promise<string> {
    const lock = `${folder}.lock`;
    await mkdir(join(cacheFolder, requirements.language), { recursive: true });
    while (!takeLock(lock)) {
      await later(LOOK_MS);
      if (existsSync(folder)) return folder;
    }
    try {
      if (!existsSync(folder)) await install(language, requirements, folder, told);
      return folder;
    } finally {
      releaseLock(lock);
    }
  }

  async function install(
    language: Language,
    requirements: Requirements,
    folder: string,
    told: InstallOptions,
  ): Promise<void> {
    const { count } = requirements;
    const from = requirements.language === 'python' ? 'requirements.txt' : 'package.json';
    told.line(`installing ${count} ${count === 1 ? 'package' : 'packages'} of ${from} …`, 'stdout');
    const draft = `${folder}.${process.pid}-${randomUUID().slice(0, 8)}`;
    try {
      await mkdir(draft);
      const step = language.prepare(requirements, draft, environment);
      await run(step.command, step.folder, told);
      await putInPlace(draft, folder);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      throw asInstallFailed(error);
    }
    told.line(`installed the packages of ${from}`, 'stdout');
  }

  async function run(command: readonly string[], folder: string, told: InstallOptions): Promise<void> {
    const slow = new AbortController();
    const cancel = clock.after(TIMEOUT_MS, () => {
      slow.abort(new InstallFailed(`the installation took longer than ${TIMEOUT_MS / 60_000} minutes`));
    });
    await mkdir(cacheFolder, { recursive: true });
    try {
      await runCommand(command, {
        folder,
        environment,
        signal: AbortSignal.any([closing.signal, slow.signal]),
        line: told.line,
        secrets: [...hidden, ...told.secrets],
      });
    } catch (error) {
      throw asInstallFailed(error);
    } finally {
      cancel();
    }
  }

  async function later(milliseconds: number): Promise<void> {
    closing.signal.throwIfAborted();
    await new Promise<void>((resolve) => {
      const cancel = clock.after(milliseconds, resolve);
      closing.signal.addEventListener(
        'abort',
        () => {
          cancel();
          resolve();
        },
        { once: true },
      );
    });
    closing.signal.throwIfAborted();
  }
}

/** What somebody else has put there meanwhile is as good. */
async function putInPlace(draft: string, folder: string): Promise<void> {
  try {
    await rename(draft, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    await rm(draft, { recursive: true, force: true });
  }
}

function asInstallFailed(error: unknown): InstallFailed {
  return error instanceof InstallFailed ? error : new InstallFailed((error as Error).message, { cause: error });
}
