import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The real `millrace` command in processes of its own. */

/** How a process ended, and what it said. */
export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LaunchOptions {
  /** The data folder; it outlives the process. */
  readonly data: string;
  /** Manifest files and folders. */
  readonly manifests?: readonly string[];
  /** Further arguments of `millrace up`. The ports are free ones. */
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** A command that runs it, such as strace with its flags. */
  readonly under?: readonly string[];
}

/** A `millrace up` that may not be up yet. Left alone it is killed, with all that it started, when it is disposed of. */
export interface Launched extends AsyncDisposable {
  /** What it has said so far. */
  readonly stderr: string;
  /** Resolves, never rejects, when the process is gone. */
  readonly ended: Promise<Ended>;
  /** Resolves when it has printed its banner; rejects with what it said when it ends before that. */
  readonly ready: Promise<Millrace>;
  /** Sends a signal to the process that was spawned. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves with what it has said once that matches; rejects when it ends without. */
  says(pattern: RegExp): Promise<string>;
}

/** A `millrace up` that is up. */
export interface Millrace extends Launched {
  /** Of the bus itself, also where another command runs it. */
  readonly pid: number;
  /** Where it takes events. */
  readonly url: string;
  /** The address of its default broker. */
  readonly broker: string;
  readonly admin: string;
  /** GET, or POST with a body, on the admin port; the answer's JSON. Rejects when it is not 200. */
  ask<T>(path: string, body?: unknown): Promise<T>;
  /** Resolves when every route (there must be one) has passed everything, and nothing is under way or waits for an attempt. */
  settled(): Promise<void>;
  /** SIGTERM, and how it ended. */
  stop(): Promise<Ended>;
  /** SIGKILL, and how it ended. */
  kill(): Promise<Ended>;
}

const MAIN = join(import.meta.dirname, '../../cli/src/main.ts');

/** Starts `millrace up` and waits until it is up. */
export function startMillrace(options: LaunchOptions): Promise<Millrace> {
  return launch(options).ready;
}

/** Spawns `millrace up` and does not wait. */
export function launch(options: LaunchOptions): Launched {
  const { data, manifests = [], under = [], environment = {} } = options;
  const files = manifests.flatMap((path) => ['-f', path]);
  const ports = ['--port', '0', '--admin-port', '0', '--data', data];
  const more = options.arguments ?? [];
  const [command, ...rest] = [...under, process.execPath, MAIN, 'up', ...ports, ...files, ...more] as [string];
  // A group of its own, so that nothing of it stays behind.
  const child = spawn(command, rest, {
    env: environmentOf(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const killGroup = () => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // Nothing is left of it.
    }
  };
  process.once('exit', killGroup);
  const output = gather(child.stdout, child.stderr);
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    process.off('exit', killGroup);
    return { code, signal, ...output };
  });

  const launched: Launched = {
    get stderr() {
      return output.stderr;
    },
    ended,
    // oxlint-disable-next-line no-use-before-define
    ready: ready(),
    signal: (signal) => void child.kill(signal),
    says,
    async [Symbol.asyncDispose]() {
      killGroup();
      await ended;
    },
  };
  // Who does not wait for it must not die of it.
  launched.ready.catch(() => {});
  return launched;

  async function says(pattern: RegExp): Promise<string> {
    while (!pattern.test(output.stderr)) {
      const isOver = await Promise.race([once(child.stderr, 'data').then(() => false), ended.then(() => true)]);
      if (isOver && !pattern.test(output.stderr)) {
        const { code, signal } = await ended;
        throw new Error(`it ended with ${code ?? signal} and did not say ${pattern}:\n${output.stderr}`);
      }
    }
    return output.stderr;
  }

  async function ready(): Promise<Millrace> {
    const banner = await says(/^ {2}admin +https?:.*\n(?:.*\n)*?Try, /m);
    const url = /^ {2}events +(\S+)/m.exec(banner)![1]!;
    const admin = /^ {2}admin +(\S+)/m.exec(banner)![1]!;
    const ask = async <T>(path: string, body?: unknown): Promise<T> => {
      const posted = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      const response = await fetch(admin + path, body === undefined ? {} : posted);
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${path} was answered ${response.status}: ${text}`);
      return JSON.parse(text) as T;
    };
    const { pid } = await ask<{ pid: number }>('/api/about');
    return {
      ...launched,
      get stderr() {
        return output.stderr;
      },
      pid,
      url,
      broker: `${url}/default/default`,
      admin,
      ask,
      async settled() {
        await eventually(async () => isSettled(await (await fetch(`${admin}/metrics`)).text()) || undefined);
      },
      stop() {
        process.kill(pid, 'SIGTERM');
        return ended;
      },
      kill() {
        process.kill(pid, 'SIGKILL');
        return ended;
      },
    };
  }
}

/** Nothing that ends by itself takes so long. */
const LIMIT_MS = 20_000;

/** Runs any `millrace` command to its end; one that does not come to it is killed, so that its code is null. */
export async function runMillrace(
  args: readonly string[],
  options: { readonly environment?: LaunchOptions['environment']; readonly folder?: string } = {},
): Promise<Ended> {
  const { environment = {}, folder } = options;
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: environmentOf(environment),
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const limit = setTimeout(kill, LIMIT_MS);
  const output = gather(child.stdout, child.stderr);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(limit);
  process.off('exit', kill);
  return { code, signal, ...output };
}

/** A temporary folder that goes with its test. */
export interface TestFolder extends Disposable {
  readonly path: string;
  /** The path of something in it. */
  at(name: string): string;
  /** Writes a file (and the folders that it is in); gives its path. */
  write(name: string, text: string): string;
}

export function testFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  const at = (name: string) => join(path, name);
  return {
    path,
    at,
    write(name, text) {
      mkdirSync(dirname(at(name)), { recursive: true });
      writeFileSync(at(name), text);
      return at(name);
    },
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Looks until there is something to see. */
export async function eventually<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

/** What the process is started with, without what whoever runs the tests may have set for himself. */
function environmentOf(environment: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(?:MILLRACE_|OTEL_|ANTHROPIC_|NO_COLOR|FORCE_COLOR|npm_|NODE_)/.test(name),
  );
  return { ...Object.fromEntries(own), ...environment };
}

function gather(stdout: NodeJS.ReadableStream, stderr: NodeJS.ReadableStream): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };
  stdout.setEncoding('utf8').on('data', (text: string) => void (output.stdout += text));
  stderr.setEncoding('utf8').on('data', (text: string) => void (output.stderr += text));
  return output;
}

const OPEN = /^millrace_(?:in_flight|waiting|route_lag)\{.*\} (.*)$/gm;

function isSettled(metrics: string): boolean {
  const open = [...metrics.matchAll(OPEN)].map(([, value]) => Number(value));
  return open.length > 0 && open.every((value) => value === 0);
}
