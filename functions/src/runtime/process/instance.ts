import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import type { WebAnswer, WebCall } from '@millrace/event/web';
import { Pool } from 'undici';

import type { FunctionLog } from '../../function-log.ts';
import type { Workload } from '../../workload.ts';
import { brokenCall, withinExplanation } from '../broken-call.ts';
import { NotTaken } from '../runtime.ts';
import type { Instance } from '../runtime.ts';
import { exchange } from './exchange.ts';
import type { Launch, Launched } from './launcher.ts';
import { maskOf, readLines } from './log-lines.ts';
import type { Mask } from './log-lines.ts';
import type { Nest } from './nest.ts';
import { basicEnvironment } from './spawn.ts';

/** How long the code may take to load. */
const START_TIMEOUT_MS = 60_000;
/** From SIGTERM to SIGKILL. */
const STOP_GRACE_MS = 10_000;
const KEPT_LINES = 5;
const KEPT_LINE_CHARACTERS = 300;
const MAX_HEADER_BYTES = 256 * 1024;

/** What an instance is given beside its workload. */
interface Place {
  readonly id: string;
  /** Its own, in the nest. */
  readonly folder: string;
  readonly nest: Nest;
  readonly launch: Launch;
  readonly now: () => number;
  log(line: FunctionLog): void;
}

/** One process group that serves an author's code, and what is known of it. */
export class ProcessInstance implements Instance {
  readonly id: string;
  readonly ready: Promise<void>;
  readonly ended: Promise<string>;
  readonly #workload: Workload;
  readonly #place: Place;
  readonly #mask: Mask;
  readonly #launched: Launched;
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
  #idle: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(workload: Workload, place: Place) {
    this.id = place.id;
    this.#workload = workload;
    this.#place = place;
    this.#mask = maskOf(workload.secretValues);
    const home = join(place.folder, 'home');
    const socket = join(place.folder, 'http');
    mkdirSync(home);
    const environment = { ...basicEnvironment(), HOME: home, TMPDIR: home, ...workload.environment };
    this.#launched = place.launch({ workload, socket, home, environment });
    const { port, stdout, stderr } = this.#launched;
    this.#server = new Pool(`http://127.0.0.1:${port ?? 80}`, {
      ...(port === undefined ? { socketPath: socket } : {}),
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    readLines(stdout, this.#mask, (text) => this.#heard('stdout', text));
    readLines(stderr, this.#mask, (text) => this.#heard('stderr', text));
    this.ended = this.#end();
    this.ready = this.#start();
    this.ready.catch(() => {});
  }

  get notes(): readonly string[] {
    return this.#launched.notes;
  }

  async call(call: WebCall, eventId?: string): Promise<WebAnswer> {
    if (this.#leaving) throw new NotTaken(`instance ${this.id} of ${this.#workload.name} is stopping`);
    this.#inFlight += 1;
    this.#lastAlone = this.#inFlight === 1 ? eventId : undefined;
    try {
      const answer = await exchange(this.#server, call);
      answer.body.once('close', () => this.#over());
      return answer;
    } catch (error) {
      this.#over();
      throw error instanceof NotTaken ? error : await brokenCall(this.#workload, this, call.signal, error);
    }
  }

  #over(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#idle?.();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#leaving = true;
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#launched.signal('SIGTERM');
    const grace = setTimeout(() => this.#launched.signal('SIGKILL'), STOP_GRACE_MS);
    await this.ended;
    clearTimeout(grace);
  }

  async kill(): Promise<void> {
    this.#leaving = true;
    this.#launched.signal('SIGKILL');
    await this.ended;
  }

  async #start(): Promise<void> {
    const slow = setTimeout(() => {
      this.#startFault = `did not become ready within ${START_TIMEOUT_MS} ms`;
      this.#launched.signal('SIGKILL');
    }, START_TIMEOUT_MS);
    const told = await this.#launched.told;
    clearTimeout(slow);
    if (told !== undefined && 'ready' in told) return;
    this.#startFault ??= told?.error;
    const end = await this.ended;
    throw new Error(this.#mask(this.#startFault ?? `ended before it was ready: it ${end}`));
  }

  async #end(): Promise<string> {
    const { exit, stdout, stderr } = this.#launched;
    const how = await exit;
    this.#leaving = true;
    await withinExplanation(outputOf([stdout, stderr]));
    stdout.destroy();
    stderr.destroy();
    await this.#server.destroy();
    await this.#place.nest.leave(this.#place.folder);
    if (how instanceof Error) this.#startFault = how.message;
    const lines = this.#lastLines.length === 0 ? '' : `; last on stderr: ${this.#lastLines.join(' | ')}`;
    return `${how instanceof Error ? how.message : how}${lines}`;
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

/** A line of the author's logger names its event between two control characters. */
function markOf(line: string): [string, string] | undefined {
  const end = line.startsWith('\u001e') ? line.indexOf('\u001f') : -1;
  return end < 0 ? undefined : [line.slice(1, end), line.slice(end + 1)];
}

/** Resolves when all that it wrote has been read. */
function outputOf(streams: readonly Readable[]): Promise<void> {
  const open = streams.filter((stream) => !stream.closed);
  return Promise.all(open.map((stream) => new Promise((resolve) => stream.once('close', resolve)))).then(() => {});
}
