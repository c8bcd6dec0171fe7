import { spawn } from 'node:child_process';
import { connect } from 'node:net';

import type { Probe } from '@millrace/resources/container';
import type { Dispatcher } from 'undici';

import type { Nest } from './nest.ts';
import type { Check } from './probe.ts';
import { exitOf } from './worker.ts';

/** What a probe may ask of an instance. */
export interface Probed {
  readonly server: Dispatcher;
  /** Where the instance listens. */
  readonly address: { readonly path: string } | { readonly port: number; readonly host: string };
  readonly home: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly nest: Nest;
}

const KEPT_OUTPUT_CHARACTERS = 300;

/** The look that a probe asks for; each one ends within the probe's timeout. */
export function checkOf(probe: Probe, probed: Probed): Check {
  switch (probe.check.kind) {
    case 'http':
      return httpCheck(probe.check, probe.timeoutMs, probed);
    case 'tcp':
      return () => tcpCheck(probe.timeoutMs, probed);
    case 'exec': {
      const { command } = probe.check;
      return () => execCheck(command, probe.timeoutMs, probed);
    }
  }
}

type Http = Extract<Probe['check'], { kind: 'http' }>;

function httpCheck({ path, headers }: Http, timeoutMs: number, { server }: Probed): Check {
  const what = `GET ${path}`;
  // So that code can tell it from a caller, as it can with the kubelet's.
  const sent = { 'user-agent': 'kube-probe/millrace', ...headers };
  return async () => {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const { statusCode, body } = await server.request({ path, method: 'GET', headers: sent, signal });
      await body.dump();
      // Kubernetes counts redirects as success.
      return statusCode >= 200 && statusCode < 400 ? undefined : `${what} answered ${statusCode}`;
    } catch (error) {
      return `${what}: ${(error as Error).name === 'TimeoutError' ? late(timeoutMs) : String(error)}`;
    }
  };
}

function tcpCheck(timeoutMs: number, { address }: Probed): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const done = (saw: string | undefined): void => {
      socket.destroy();
      resolve(saw);
    };
    socket.setTimeout(timeoutMs, () => done(`no connection within ${timeoutMs} ms`));
    socket.once('connect', () => done(undefined));
    socket.on('error', (error) => done(`no connection: ${error.message}`));
  });
}

async function execCheck(
  command: readonly string[],
  timeoutMs: number,
  { home, environment, nest }: Probed,
): Promise<string | undefined> {
  const [program = '', ...parameters] = command;
  const child = spawn(program, parameters, {
    cwd: home,
    env: environment,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const group = child.pid;
  if (group !== undefined) nest.watch(group);
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(0, KEPT_OUTPUT_CHARACTERS);
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    endGroup(group);
  }, timeoutMs);
  const how = await exitOf(child);
  clearTimeout(timer);
  // What it has started goes with it.
  endGroup(group);
  child.stderr.destroy();
  if (group !== undefined) await nest.unwatch(group);
  if (how === 'exited with code 0') return undefined;
  const said = output.trim() === '' ? '' : `: ${output.trim()}`;
  return how instanceof Error ? how.message : `${command.join(' ')} ${isLate ? `had ${late(timeoutMs)}` : how}${said}`;
}

function late(timeoutMs: number): string {
  return `no answer within ${timeoutMs} ms`;
}

function endGroup(group: number | undefined): void {
  try {
    if (group !== undefined) process.kill(-group, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
