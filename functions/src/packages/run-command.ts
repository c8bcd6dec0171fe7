import { spawn } from 'node:child_process';

import { maskOf, readLines } from '../runtime/process/log-lines.ts';

/** How a command that installs something is run. */
export interface CommandOptions {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Ends it, with all that it has started. */
  readonly signal: AbortSignal;
  /** Hears every line that it writes and that is not empty. */
  readonly line: (text: string, stream: 'stdout' | 'stderr') => void;
  /** Values that must not be read in a line. */
  readonly secrets: readonly string[];
}

const KEPT_LINES = 8;

/** Runs a command to its end. Rejects, for people, with how it ended and its last lines when that was not well. */
export async function runCommand(command: readonly string[], options: CommandOptions): Promise<void> {
  const [program, ...parameters] = command as [string, ...string[]];
  const { folder, environment, signal, line, secrets } = options;
  signal.throwIfAborted();
  const child = spawn(program, parameters, {
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Nobody is left in the group.
    }
  };
  signal.addEventListener('abort', kill);
  const last: string[] = [];
  const mask = maskOf(secrets);
  for (const stream of ['stdout', 'stderr'] as const) {
    readLines(child[stream], mask, (text) => {
      if (text.trim() === '') return;
      line(text, stream);
      last.push(text);
      if (last.length > KEPT_LINES) last.shift();
    });
  }
  const how = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ENOENT' ? 'was not found on the PATH: install it' : `cannot be run: ${error.message}`),
    );
    child.once('close', (code, by) =>
      resolve(code === 0 ? undefined : by === null ? `exited with code ${code}` : `was ended by ${by}`),
    );
  });
  signal.removeEventListener('abort', kill);
  signal.throwIfAborted();
  if (how !== undefined) throw new Error([`${program} ${how}`, ...last].join('\n  '));
}
