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
import { makeAttribution } from './attribution.ts';
import { exchange } from './exchange.ts';
import { makeHealth } from './health.ts';
import type { Health } from './health.ts';
import { makeLastWords } from './last-words.ts';
import type { Launch, Launched } from './launcher.ts';
import type { Hold, Limiter } from './limits.ts';
import { maskOf, readLines } from './log-lines.ts';
import type { Mask } from './log-lines.ts';
import type { Nest } from './nest.ts';
import { basicEnvironment } from './spawn.ts';
import { endStragglers } from './stragglers.ts';

/** How long it may take to become ready, where nothing is declared: Serving's progress deadline. */
const PROGRESS_DEADLINE_MS = 600_000;
/** From SIGTERM to SIGKILL, where nothing is declared. */
const TERMINATION_GRACE_MS = 10_000;
const MAX_HEADER_BYTES = 256 * 1024;

/** What an instance is given beside its workload. */
interface Place {
  readonly id: string;
  /** Its own, in the nest. */
  readonly folder: string;
  readonly nest: Nest;
  readonly launch: Launch;
  readonly limiter: Limiter;
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
  readonly #health: Health;
  #hold: Hold | undefined;
  /** How many calls it has. */
  #inFlight = 0;
  readonly #lastWords = makeLastWords();
  readonly #attribution = makeAttribution();
  /** Why it could not start, as its runner (or the system) said. */
  #startFault: string | undefined;
  /** Why we ended it. */
  #endedBecause: string | undefined;
  #leaving = false;
  #idle: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(workload: Workload, place: Place) {
    this.id = place.id;
    this.#workload = workload;
    this.#place = place;
    this.#mask = maskOf(workload.secretValues);
    const home = homeIn(place);
    const socket = join(place.folder, 'http');
    mkdirSync(home);
    const environment = { ...basicEnvironment(), HOME: home, TMPDIR: home, ...workload.environment };
    const begun = (pid: number): void => this.#begun(pid);
    this.#launched = place.launch({ workload, socket, home, environment, begun });
    const { port, stdout, stderr } = this.#launched;
    this.#server = new Pool(`http://127.0.0.1:${port ?? 80}`, {
      ...(port === undefined ? { socketPath: socket } : {}),
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    const address = port === undefined ? { path: socket } : { port, host: '127.0.0.1' };
    this.#health = makeHealth(workload, { server: this.#server, address, home, environment, nest: place.nest });
    readLines(stdout, this.#mask, (text) => this.#heard('stdout', text));
    readLines(stderr, this.#mask, (text) => this.#heard('stderr', text));
    this.ended = this.#end();
    this.ready = this.#start();
    this.ready.catch(() => {});
  }

  get notes(): readonly string[] {
    return [...this.#launched.notes, ...(this.#hold?.notes ?? [])];
  }

  get notReady(): string | undefined {
    const why = this.#health.notReady;
    return why === undefined ? undefined : this.#mask(why);
  }

  onReadiness(listener: (isReady: boolean) => void): void {
    this.#health.onReadiness(listener);
  }

  async call(call: WebCall, eventId?: string): Promise<WebAnswer> {
    if (this.#leaving) throw new NotTaken(`instance ${this.id} of ${this.#workload.name} is stopping`);
    this.#inFlight += 1;
    this.#attribution.called(eventId, call.rawHeaders, this.#inFlight === 1);
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
    await this.#endSoon();
  }

  /** Asks it to go; ends it when it does not. */
  async #endSoon(): Promise<void> {
    const { terminationGraceMs = TERMINATION_GRACE_MS } = this.#workload;
    this.#launched.signal('SIGTERM');
    const grace = setTimeout(() => this.#launched.signal('SIGKILL'), terminationGraceMs);
    await this.ended;
    clearTimeout(grace);
  }

  async kill(): Promise<void> {
    this.#leaving = true;
    this.#launched.signal('SIGKILL');
    await this.ended;
  }

  /** Its process is there, and has loaded nothing of the author's yet. Called again when that one was of no use. */
  #begun(pid: number): void {
    void this.#hold?.release();
    const name = `${this.#workload.name}-${this.id}-${pid}`.replaceAll('/', '-');
    this.#hold = this.#place.limiter.hold(name, pid, this.#workload.limits, () => this.#launched.signal('SIGKILL'));
  }

  async #start(): Promise<void> {
    const { progressDeadlineMs = PROGRESS_DEADLINE_MS } = this.#workload;
    let isLoaded = false;
    const slow = setTimeout(() => {
      const why = this.notReady ?? (isLoaded ? 'its readinessProbe has seen nothing yet' : 'it is still loading');
      this.#startFault = `did not become ready within ${progressDeadlineMs / 1000} s: ${why}`;
      this.#launched.signal('SIGKILL');
    }, progressDeadlineMs);
    const told = await this.#launched.told;
    isLoaded = told !== undefined && 'ready' in told;
    const isReady = isLoaded && (await this.#health.becomesReady());
    clearTimeout(slow);
    if (isReady) return this.#health.watchLife((why) => this.#endFor(why));
    if (told !== undefined && 'error' in told) this.#startFault ??= told.error;
    const end = await this.ended;
    throw new Error(this.#mask(this.#startFault ?? `ended before it was ready: it ${end}`));
  }

  #endFor(reason: string): void {
    this.#leaving = true;
    this.#endedBecause = reason;
    void this.#endSoon();
  }

  async #end(): Promise<string> {
    const { exit, stdout, stderr } = this.#launched;
    const how = await exit;
    this.#leaving = true;
    this.#health.stop();
    this.#hold?.kill();
    await endStragglers(homeIn(this.#place));
    await withinExplanation(outputOf([stdout, stderr]));
    stdout.destroy();
    stderr.destroy();
    await this.#server.destroy();
    const exceeded = this.#hold?.exceeded();
    await this.#hold?.release();
    await this.#place.nest.leave(this.#place.folder);
    if (how instanceof Error) this.#startFault = how.message;
    return this.#mask(this.#howItEnded(how instanceof Error ? how.message : how, exceeded));
  }

  #howItEnded(how: string, exceeded: string | undefined): string {
    const lines = this.#lastWords.quoted();
    const reason = exceeded ?? this.#endedBecause;
    if (reason !== undefined) return `${reason} and ${how}${lines}`;
    return `${this.#lastWords.saysOutOfMemory() ? 'ran out of memory and ' : ''}${how}${lines}`;
  }

  #heard(stream: 'stdout' | 'stderr', line: string): void {
    const said = this.#attribution.of(line);
    if (stream === 'stderr') this.#lastWords.heard(said.text);
    const { name } = this.#workload;
    this.#place.log({ function: name, instance: this.id, stream, ...said, time: this.#place.now() });
  }
}

function homeIn({ folder }: Place): string {
  return join(folder, 'home');
}

/** Resolves when all that it wrote has been read. */
function outputOf(streams: readonly Readable[]): Promise<void> {
  const open = streams.filter((stream) => !stream.closed);
  return Promise.all(open.map((stream) => new Promise((resolve) => stream.once('close', resolve)))).then(() => {});
}
