import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import type { Probe } from '@millrace/resources/container';
import type { WebAnswer, WebCall } from '@millrace/event/web';
import { Pool } from 'undici';

import { systemClock } from '../../clock.ts';
import type { FunctionLog } from '../../function-log.ts';
import type { Workload } from '../../workload.ts';
import { brokenCall, withinExplanation } from '../broken-call.ts';
import { NotTaken } from '../runtime.ts';
import type { Instance } from '../runtime.ts';
import { checkOf } from './check.ts';
import type { Probed } from './check.ts';
import { exchange } from './exchange.ts';
import { makeLastWords } from './last-words.ts';
import type { Launch, Launched } from './launcher.ts';
import type { Hold, Limiter } from './limits.ts';
import { maskOf, readLines } from './log-lines.ts';
import type { Mask } from './log-lines.ts';
import type { Nest } from './nest.ts';
import { startProbing } from './probe.ts';
import type { Probing } from './probe.ts';
import { basicEnvironment } from './spawn.ts';
import { endStragglers } from './stragglers.ts';
import { makeTraces } from './traces.ts';

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
  readonly #probed: Probed;
  readonly #readinessListeners: ((isReady: boolean) => void)[] = [];
  #readiness: Probing | undefined;
  #liveness: Probing | undefined;
  #hold: Hold | undefined;
  /** How many calls it has. */
  #inFlight = 0;
  /** The event that it had last without another beside it: late output belongs to that one. */
  #lastAlone: string | undefined;
  readonly #lastWords = makeLastWords();
  readonly #traces = makeTraces();
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
    const home = join(place.folder, 'home');
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
    this.#probed = { server: this.#server, address, home, environment, nest: place.nest };
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
    const saw = this.#readiness?.saw;
    return saw === undefined ? undefined : this.#mask(`its readinessProbe saw: ${saw}`);
  }

  onReadiness(listener: (isReady: boolean) => void): void {
    this.#readinessListeners.push(listener);
  }

  async call(call: WebCall, eventId?: string): Promise<WebAnswer> {
    if (this.#leaving) throw new NotTaken(`instance ${this.id} of ${this.#workload.name} is stopping`);
    this.#inFlight += 1;
    this.#lastAlone = this.#inFlight === 1 ? eventId : undefined;
    if (eventId !== undefined) this.#traces.called(eventId, call.rawHeaders);
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

  /** Its process is there, and has loaded nothing of the author's yet. */
  #begun(pid: number): void {
    const name = `${this.#workload.name}-${this.id}`.replaceAll('/', '-');
    this.#hold = this.#place.limiter.hold(name, pid, this.#workload.limits, () => this.#launched.signal('SIGKILL'));
  }

  async #start(): Promise<void> {
    const { readiness, liveness, progressDeadlineMs = PROGRESS_DEADLINE_MS } = this.#workload;
    const slow = setTimeout(() => {
      const why = this.notReady ?? (this.#readiness === undefined ? 'it is still loading' : 'its readinessProbe waits');
      this.#startFault = `did not become ready within ${progressDeadlineMs / 1000} s: ${why}`;
      this.#launched.signal('SIGKILL');
    }, progressDeadlineMs);
    const told = await this.#launched.told;
    const isLoaded = told !== undefined && 'ready' in told;
    const isReady = isLoaded && (readiness === undefined || (await this.#probe(readiness)));
    clearTimeout(slow);
    if (isReady) {
      if (liveness !== undefined) this.#watchLife(liveness);
      return;
    }
    if (told !== undefined && 'error' in told) this.#startFault ??= told.error;
    const end = await this.ended;
    throw new Error(this.#mask(this.#startFault ?? `ended before it was ready: it ${end}`));
  }

  /** Resolves with true when it is ready for the first time, with false when it ended before that. */
  #probe(probe: Probe): Promise<boolean> {
    let hasBeenReady = false;
    return new Promise((resolve) => {
      void this.ended.then(() => resolve(false));
      this.#readiness = startProbing({
        probe,
        check: checkOf(probe, this.#probed),
        clock: systemClock,
        changed: (isReady) => {
          if (!hasBeenReady) resolve(true);
          else for (const listener of this.#readinessListeners) listener(isReady);
          hasBeenReady = true;
        },
      });
      if (this.#leaving) this.#readiness.stop();
    });
  }

  #watchLife(probe: Probe): void {
    this.#liveness = startProbing({
      probe,
      check: checkOf(probe, this.#probed),
      clock: systemClock,
      wasWell: true,
      changed: (_isWell, saw) => {
        this.#leaving = true;
        this.#liveness?.stop();
        this.#endedBecause = `failed its livenessProbe ${probe.failures} times in a row (${saw})`;
        void this.#endSoon();
      },
    });
  }

  async #end(): Promise<string> {
    const { exit, stdout, stderr } = this.#launched;
    const how = await exit;
    this.#leaving = true;
    this.#readiness?.stop();
    this.#liveness?.stop();
    this.#hold?.kill();
    await endStragglers(this.#probed.home);
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
    const [eventId, text] = markOf(line) ?? [this.#lastAlone, line];
    if (stream === 'stderr') this.#lastWords.heard(text);
    const traceId = eventId === undefined ? undefined : this.#traces.of(eventId);
    this.#place.log({
      function: this.#workload.name,
      instance: this.id,
      stream,
      text,
      ...(eventId === undefined ? {} : { eventId }),
      ...(traceId === undefined ? {} : { traceId }),
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
