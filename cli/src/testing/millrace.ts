import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import { openAdmin } from '@millrace/bus/admin/admin';

import { startBus } from '../../../test/support/bus.ts';
import type { TestBus } from '../../../test/support/bus.ts';

/** A bus with its admin port, in this process, for commands that run in processes of their own. */
export interface TestMillrace extends AsyncDisposable {
  readonly bus: TestBus;
  /** The address of the admin port. */
  readonly admin: string;
  /** Runs a command against it to its end. */
  run(args: readonly string[], input?: string | Uint8Array): Promise<Ended>;
  /** Ends the admin port, and opens it again at the same address. */
  closeAdmin(): Promise<void>;
  openAdmin(): Promise<void>;
}

/** How a command ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What it wrote to stdout, byte for byte. */
  readonly bytes: Buffer;
}

export async function startMillrace(): Promise<TestMillrace> {
  const bus = await startBus();
  // The default broker is there without being declared, once something is applied.
  await bus.apply('');
  let admin = await open(0);
  const { port } = admin.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  async function open(at: number) {
    const server = openAdmin({
      store: bus.bus.store,
      about: () => ({
        version: '0.0.0',
        pid: process.pid,
        dataUrl: bus.url,
        adminUrl: url,
        dataFolder: bus.folder,
        startedAt: new Date().toISOString(),
      }),
      resources: () => [...bus.bus.control.statuses().values()],
      verdicts: (entry) => bus.bus.verdicts(entry),
      redrive: (selected) => bus.bus.redrive(selected),
      checks: () => ({}),
      metrics: { text: async () => '', contentType: 'text/plain' },
    });
    await server.listen({ host: '127.0.0.1', port: at });
    return server;
  }
  return {
    bus,
    admin: url,
    run: (args, input) => runMillrace(args, { environment: { MILLRACE_ADMIN: url }, input }),
    closeAdmin: () => admin.close(),
    async openAdmin() {
      admin = await open(port);
    },
    async [Symbol.asyncDispose]() {
      await admin.close();
      await bus[Symbol.asyncDispose]();
    },
  };
}

/** The command in a process of its own, with pipes. */
export type RunningCommand = ChildProcessByStdio<Writable, Readable, Readable>;

const MAIN = join(import.meta.dirname, '../main.ts');

/** Starts the command; the caller sees to its end. */
export function spawnMillrace(args: readonly string[], environment: Record<string, string> = {}): RunningCommand {
  return spawn(process.execPath, [MAIN, ...args], { env: environmentOf(environment), stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Runs the command to its end. */
export async function runMillrace(
  args: readonly string[],
  options: { environment?: Record<string, string> | undefined; input?: string | Uint8Array | undefined } = {},
): Promise<Ended> {
  const child = spawnMillrace(args, options.environment);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  const [code] = (await once(child, 'close')) as [number | null];
  const bytes = Buffer.concat(stdout);
  return { code, stdout: bytes.toString(), stderr: Buffer.concat(stderr).toString(), bytes };
}

/** Why {@link runInTerminal} cannot run here; false when it can. */
export const NO_TERMINAL = process.platform === 'linux' ? false : 'no script(1) of util-linux on this platform';

/** Runs the command in a terminal (a pseudo-terminal by script(1)); types the answer when it asks. */
export async function runInTerminal(
  args: readonly string[],
  environment: Record<string, string>,
  answer = '',
): Promise<{ code: number | null; shown: string }> {
  const child = spawn('script', ['-qec', commandLine(args), '/dev/null'], {
    env: environmentOf({ TERM: 'xterm-256color', ...environment }),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit') as Promise<[number | null]>;
  let shown = '';
  for await (const chunk of child.stdout) {
    const hadAsked = shown.includes(QUESTION);
    shown += String(chunk);
    if (!hadAsked && shown.includes(QUESTION)) child.stdin.write(`${answer}\r`);
  }
  const [code] = await exit;
  return { code, shown };
}

const QUESTION = '[y/N]';

/** The command for a shell. */
export function commandLine(args: readonly string[]): string {
  return [process.execPath, MAIN, ...args].map((part) => `'${part}'`).join(' ');
}

/** What the tests are run with, without what whoever runs them may have set for himself. */
export function environmentOf(environment: Record<string, string>): NodeJS.ProcessEnv {
  const unset = {
    NO_COLOR: undefined,
    FORCE_COLOR: undefined,
    // Node takes a terminal in CI for one without colours.
    CI: undefined,
    MILLRACE_ADMIN: undefined,
    MILLRACE_COMMAND: undefined,
  };
  return { ...process.env, ...unset, ...environment };
}

/** Reads a stream of a running command line by line. */
export function linesFrom(stream: Readable): AsyncIterator<string> {
  return createInterface({ input: stream })[Symbol.asyncIterator]();
}

/** Resolves when the condition holds, which nothing tells of. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** A Trigger of the default broker; `more` are further lines of its spec. */
export function trigger(name: string, url: string, more = ''): string {
  return `
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: ${name} }
spec:
  broker: default
  subscriber: { uri: "${url}" }
  ${more}
`;
}

/** An address at which nothing listens: a port that was free a moment ago. */
export async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return `http://127.0.0.1:${port}`;
}
