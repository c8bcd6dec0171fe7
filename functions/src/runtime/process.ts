import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import type { Answer, HandlerContext } from '@millrace/event/handler';
import type { CloudEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';
import { Pool } from 'undici';

import type { FunctionLog } from '../function-log.ts';
import type { Workload } from '../workload.ts';
import { callOverHttp } from './http-call.ts';
import { launchOf } from './launch.ts';
import { maskOf, readLines } from './log-lines.ts';
import type { Mask } from './log-lines.ts';
import { makeNest } from './nest.ts';
import type { Nest } from './nest.ts';
import { NotTaken } from './runtime.ts';
import type { Instance, Runtime } from './runtime.ts';

/** How long the code may take to load. */
const START_TIMEOUT_MS = 60_000;
/** From SIGTERM to SIGKILL. */
const STOP_GRACE_MS = 10_000;
/** How long a broken connection waits to be explained by the end of the process, and the end by the last output. */
const EXPLANATION_MS = 1_000;
const KEPT_LINES = 5;
const KEPT_LINE_CHARACTERS = 300;
const MAX_HEADER_BYTES = 256 * 1024;

/**
 * Instances as child processes of this one, each in a process group and a temporary folder of its own, spoken to over
 * a unix domain socket. They end when this process does, even by SIGKILL. For POSIX systems.
 */
export function processRuntime(options: { now?: () => number } = {}): Runtime {
  const now = options.now ?? Date.now;
  const nest = makeNest();
  let begun = 0;
  return {
    start(workload, log) {
      const id = String((begun += 1));
      const folder = nest.enter(id);
      try {
        return new ProcessInstance(workload, { id, folder, nest, log, now });
      } catch (error) {
        void nest.leave(folder, undefined);
        throw error;
      }
    },
  };
}

/** What an instance is given beside its workload. */
interface Place {
  readonly id: string;
  /** Its own, in the nest. */
  readonly folder: string;
  readonly nest: Nest;
  readonly now: () => number;
  log(line: FunctionLog): void;
}

class ProcessInstance implements Instance {
  readonly id: string;
  readonly ready: Promise<void>;
  readonly ended: Promise<string>;
  readonly #workload: Workload;
  readonly #place: Place;
  readonly #mask: Mask;
  readonly #child: ChildProcess;
  readonly #server: Pool;
  /** How many calls it has. */
  #inFlight = 0;
  /** The event that it had last without another beside it: late output belongs to that one. */
  #lastAlone: string | undefined;
  /** The last lines on stderr, for the reason of a crash. */
  readonly #lastLines: string[] = [];
  /** Why it could not start, as its runner (or the system) said. */
  #startFault: string | undefined;
  #leaving = false;
  #gone = false;
  #idle: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(workload: Workload, place: Place) {
    this.id = place.id;
    this.#workload = workload;
    this.#place = place;
    this.#mask = maskOf(workload.secretValues);
    const { folder, nest } = place;
    const home = join(folder, 'home');
    const socket = join(folder, 'http');
    mkdirSync(home);
    const launch = launchOf(workload, socket, home);
    this.#child = spawn(launch.command, launch.arguments, {
      cwd: home,
      env: launch.environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const exit = exitOf(this.#child);
    if (this.#child.pid !== undefined) nest.watch(this.#child.pid);
    this.#server = new Pool('http://localhost', {
      socketPath: socket,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    readLines(this.#child.stdout!, this.#mask, (text) => this.#heard('stdout', text));
    readLines(this.#child.stderr!, this.#mask, (text) => this.#heard('stderr', text));
    this.ended = this.#end(exit);
    this.ready = this.#start(this.#child.stdio[3] as Readable);
    this.ready.catch(() => {});
  }

  readonly handler = async (event: CloudEvent, context: HandlerContext): Promise<Answer> => {
    if (this.#leaving || this.#gone) throw new NotTaken(`instance ${this.id} of ${this.#workload.name} is stopping`);
    this.#inFlight += 1;
    this.#lastAlone = this.#inFlight === 1 ? event.id : undefined;
    try {
      return await callOverHttp(this.#server, this.#workload, this.#mask, event, context);
    } catch (error) {
      if (error instanceof HandlerFailure || error instanceof NotTaken) throw error;
      if (context.signal.aborted) throw givenUp(context.signal.reason);
      throw await this.#broken(error);
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#idle?.();
    }
  };

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#leaving = true;
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#signal('SIGTERM');
    const grace = setTimeout(() => this.#signal('SIGKILL'), STOP_GRACE_MS);
    await this.ended;
    clearTimeout(grace);
  }

  async kill(): Promise<void> {
    this.#leaving = true;
    this.#signal('SIGKILL');
    await this.ended;
  }

  /** The whole group, so that what the code has started ends with it. */
  #signal(signal: NodeJS.Signals): void {
    const group = this.#child.pid;
    if (group === undefined || this.#gone) return;
    try {
      process.kill(-group, signal);
    } catch {
      // Nobody is left in the group.
    }
  }

  async #start(status: Readable): Promise<void> {
    const slow = setTimeout(() => {
      this.#startFault = `did not become ready within ${START_TIMEOUT_MS} ms`;
      this.#signal('SIGKILL');
    }, START_TIMEOUT_MS);
    const told = await Promise.race([firstLine(status), this.ended.then(() => '')]);
    clearTimeout(slow);
    const { ready, error } = (told === '' ? {} : JSON.parse(told)) as { ready?: boolean; error?: string };
    if (ready) return;
    this.#startFault ??= error;
    const end = await this.ended;
    throw new Error(this.#mask(this.#startFault ?? `ended before it was ready: it ${end}`));
  }

  async #end(exit: Promise<string | Error>): Promise<string> {
    const how = await exit;
    // Before the group's id may be given to somebody else.
    this.#signal('SIGKILL');
    this.#gone = true;
    await withinExplanation(outputOf(this.#child));
    for (const stream of this.#child.stdio) stream?.destroy();
    await this.#server.destroy();
    await this.#place.nest.leave(this.#place.folder, this.#child.pid);
    if (how instanceof Error) this.#startFault = spawnFault(this.#child.spawnfile, how);
    const lines = this.#lastLines.length === 0 ? '' : `; last on stderr: ${this.#lastLines.join(' | ')}`;
    return `${how instanceof Error ? this.#startFault! : how}${lines}`;
  }

  /** The connection broke in the middle of a call. Mostly the process ended; then how it ended is the reason. */
  async #broken(error: unknown): Promise<HandlerFailure> {
    const end = await withinExplanation(this.ended);
    const what = end ?? `broke the connection (${String(error)})`;
    return new HandlerFailure(`${this.#workload.name} crashed while it had the event: it ${what}`, { cause: error });
  }

  #heard(stream: 'stdout' | 'stderr', line: string): void {
    const [eventId, text] = markOf(line) ?? [this.#lastAlone, line];
    if (stream === 'stderr' && text.trim() !== '') {
      this.#lastLines.push(text.slice(0, KEPT_LINE_CHARACTERS));
      if (this.#lastLines.length > KEPT_LINES) this.#lastLines.shift();
    }
    this.#place.log({
      function: this.#workload.name,
      instance: this.id,
      stream,
      text,
      ...(eventId === undefined ? {} : { eventId }),
      time: this.#place.now(),
    });
  }
}

function givenUp(reason: unknown): HandlerFailure {
  if (reason instanceof HandlerFailure) return reason;
  return new HandlerFailure('was given up: nobody waits for the answer any more', { cause: reason });
}

/** A line of the author's logger names its event between two control characters. */
function markOf(line: string): [string, string] | undefined {
  const end = line.startsWith('\u001e') ? line.indexOf('\u001f') : -1;
  return end < 0 ? undefined : [line.slice(1, end), line.slice(end + 1)];
}

function spawnFault(command: string, error: Error): string {
  const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  return missing
    ? `cannot run ${command}: it was not found on the PATH; install it`
    : `cannot run ${command}: ${error.message}`;
}

/** How the process ended, in words; an Error when it never began. */
function exitOf(child: ChildProcess): Promise<string | Error> {
  return new Promise((resolve) => {
    child.once('error', resolve);
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `exited with code ${code}` : `was ended by ${signal}`),
    );
  });
}

/** Resolves when all that it wrote has been read. */
function outputOf(child: ChildProcess): Promise<void> {
  const open = [child.stdout!, child.stderr!].filter((stream) => !stream.closed);
  return Promise.all(open.map((stream) => new Promise((resolve) => stream.once('close', resolve)))).then(() => {});
}

/** What the promise resolves with, or undefined when that takes too long. */
async function withinExplanation<T>(promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, EXPLANATION_MS, undefined);
  });
  const first = await Promise.race([promise, late]);
  clearTimeout(timer);
  return first;
}

async function firstLine(stream: Readable): Promise<string> {
  let text = '';
  try {
    for await (const chunk of stream.setEncoding('utf8')) {
      text += String(chunk);
      const end = text.indexOf('\n');
      if (end >= 0) return text.slice(0, end);
    }
  } catch {
    // It ended; the exit tells why.
  }
  return '';
}
