import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';

/** The folder of this checkout. */
export const ROOT = join(import.meta.dirname, '..', '..');

const MAIN = join(ROOT, 'cli', 'src', 'main.ts');
const PATIENCE_MS = 30_000;

/** What a reader has: a copy of the examples, a running `millrace up`, and a shell that knows `millrace`. */
export interface Terminal extends AsyncDisposable {
  /** Runs a script in the shell; resolves with all that it said. Rejects when it fails. */
  run(script: string): Promise<string>;
  /** Ends `millrace up` and starts it again, on the same ports and data. Rejects when it does not end well. */
  restart(): Promise<void>;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Opens a terminal whose `millrace up` has these manifests. */
export async function openTerminal(manifests: string): Promise<Terminal> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-docs-'));
  const environment = prepare(folder);
  const followers: Child[] = [];
  let addresses: Addresses = { data: '127.0.0.1:0', admin: '127.0.0.1:0' };
  let up: Up | undefined;

  const start = async (args: readonly string[], { data, admin }: Addresses, dataFolder: string) =>
    startUp([...args, '--port', portOf(data), '--admin-port', portOf(admin), '--data', join(folder, dataFolder)], {
      folder,
      environment,
    });
  const restart = async () => {
    await up?.stop();
    up = await start(['-f', ...manifests.split(' ')], addresses, '.millrace');
    addresses = up.addresses;
    environment['MILLRACE_ADMIN'] = `http://${addresses.admin}`;
  };
  await restart();

  return {
    restart,
    async run(said) {
      const script = said
        .replaceAll('127.0.0.1:8080', addresses.data)
        .replaceAll('127.0.0.1:8081', addresses.admin)
        // Nothing may be reached that happens to run on this machine.
        .replaceAll('127.0.0.1:9092', '127.0.0.1:1')
        .replaceAll('npm run -s millrace --', 'millrace');
      if (script.trim() === 'npm start') {
        await restart();
        return '';
      }
      if (/^millrace up\b(?!.*--help)[^\n]*$/.test(script.trim())) {
        const args = script.trim().split(/\s+/).slice(2);
        const another = await start(args, { data: ':0', admin: ':0' }, 'another');
        await another.stop();
        return another.said();
      }
      const child = spawnShell(script, { folder, environment });
      if (/^millrace tail\b[^\n]*$/.test(script.trim())) {
        followers.push(child);
        return until(child, /following .*/);
      }
      return ended(child, script);
    },
    async [Symbol.asyncDispose]() {
      for (const child of followers) await end(child);
      await up?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Addresses {
  /** `host:port` of the data port. */
  readonly data: string;
  readonly admin: string;
}

interface Place {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

interface Up {
  readonly addresses: Addresses;
  said(): string;
  stop(): Promise<void>;
}

const portOf = (address: string) => address.slice(address.lastIndexOf(':') + 1);

function prepare(folder: string): NodeJS.ProcessEnv {
  for (const copied of ['manifests', 'functions/examples']) {
    cpSync(join(ROOT, copied), join(folder, copied), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'bin'));
  // A reader may be early: a dead letter that is not there yet is looked for again.
  const shim = `#!/bin/sh
millrace() { "${process.execPath}" "${MAIN}" "$@"; }
case "$1 $2" in "dlq show")
  for attempt in $(seq 40); do millrace "$@" 2>/dev/null && exit; sleep 0.3; done
esac
millrace "$@"
`;
  writeFileSync(join(folder, 'bin', 'millrace'), shim);
  chmodSync(join(folder, 'bin', 'millrace'), 0o755);
  const own = Object.entries(process.env).filter(([name]) => !/^(?:MILLRACE_|ANTHROPIC_|OTEL_|npm_)/.test(name));
  return {
    ...Object.fromEntries(own),
    NO_COLOR: '1',
    PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
  };
}

const BANNER = /events +http:\/\/(\S+)\n +admin +http:\/\/(\S+)[^]*dlq list/;

async function startUp(args: readonly string[], { folder, environment }: Place): Promise<Up> {
  const child = spawn(process.execPath, [MAIN, 'up', ...args], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += String(chunk)));
  child.stdout.resume();
  const banner = await until(child, BANNER);
  const [, data = '', admin = ''] = BANNER.exec(banner) ?? [];
  // The banner is written a moment before the process listens to signals.
  await fetch(`http://${admin}/readyz`);
  return {
    addresses: { data, admin },
    said: () => said,
    async stop() {
      const exit = once(child, 'exit') as Promise<[number | null]>;
      child.kill('SIGTERM');
      const [code] = await exit;
      if (code !== 0) throw new Error(`millrace up ended with ${code}, expected 0:\n${said}`);
    },
  };
}

/** A shell in a process group of its own, so that all of it can be ended. */
function spawnShell(script: string, { folder, environment }: Place): Child {
  return spawn('sh', ['-euc', script], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

/** Resolves with what it said on stderr, once that matches; rejects when it ends before. */
async function until(child: Child, pattern: RegExp): Promise<string> {
  let said = '';
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  child.stderr.on('data', (chunk: Buffer) => {
    said += String(chunk);
    if (pattern.test(said)) resolve(said);
  });
  child.once('exit', (code) => reject(new Error(`ended with ${code} before it said ${pattern}:\n${said}`)));
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
  }, PATIENCE_MS);
  return promise.finally(() => clearTimeout(timer));
}

async function ended(child: Child, script: string): Promise<string> {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += String(chunk)));
  const timer = setTimeout(() => void end(child), PATIENCE_MS);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(timer);
  if (code === 0) return said;
  throw new Error(`ended with ${code ?? signal}, expected 0:\n${script}\n${said}`);
}

async function end(child: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  process.kill(-child.pid!, 'SIGKILL');
  await exit;
}
