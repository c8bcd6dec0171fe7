import { HandlerFailure } from '@millrace/event/handler';

import type { Clock } from '../clock.ts';
import type { FunctionLog } from '../function-log.ts';
import { eventHandler } from '../runtime/event-call.ts';
import { maskOf } from '../runtime/process/log-lines.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Workload } from '../workload.ts';
import { makeBackoff } from './backoff.ts';
import type { Backoff } from './backoff.ts';
import { Member } from './member.ts';

export interface MembersOptions {
  readonly workload: Workload;
  readonly runtime: Runtime;
  readonly log: (line: FunctionLog) => void;
  readonly clock: Clock;
  /** An instance came or went. */
  readonly changed: () => void;
  /** One could not start, for the reason that `cannotStart` tells. */
  readonly startFailed: () => void;
}

/** One instance as it is shown: which one, and whether it takes calls. */
export interface InstanceDescription {
  /** As its lines in the log name it. */
  readonly id: string;
  /** RFC 3339. */
  readonly begunAt: string;
  readonly phase: Member['phase'];
}

/** The instances of one revision: begins them, follows their lives, lets them go, and waits where they keep failing. */
export class Members {
  readonly #options: MembersOptions;
  readonly #members = new Set<Member>();
  readonly #mask: (text: string) => string;
  readonly #backoff: Backoff;
  /** Why the last one could not start; until one can, calls need not wait to hear it. */
  #startFault: string | undefined;
  #lastFault = '';

  constructor(options: MembersOptions) {
    this.#options = options;
    this.#mask = maskOf(options.workload.secretValues);
    this.#backoff = makeBackoff(() => options.clock.now());
  }

  /** All that are there, also those that begin or end. */
  get size(): number {
    return this.#members.size;
  }

  /** Each of them, the oldest first. */
  get list(): readonly InstanceDescription[] {
    return [...this.#members].map(({ instance, phase, begunAt }) => ({
      id: instance.id,
      phase,
      begunAt: new Date(begunAt).toISOString(),
    }));
  }

  /** Those that take calls or soon will. */
  get serving(): number {
    return this.count('ready') + this.count('starting');
  }

  /** Calls that they have. */
  get inFlight(): number {
    let sum = 0;
    for (const member of this.#members) sum += member.inFlight;
    return sum;
  }

  /** What cannot be kept of the workload. */
  get notes(): readonly string[] {
    return [...new Set([...this.#members].flatMap(({ instance }) => instance.notes))];
  }

  /** Milliseconds until one may be begun again, after failures. */
  get waitMs(): number {
    return this.#backoff.waitMs();
  }

  /** Why nothing serves, when the last one crashed, could not start or is not ready; undefined when all is well. */
  get fault(): string | undefined {
    if (this.#backoff.failures > 0) return this.#lastFault;
    for (const { phase, instance } of this.#members) if (phase === 'paused') return instance.notReady ?? 'not ready';
    return undefined;
  }

  /** What a call is told that cannot be served for now, because nothing starts. */
  get cannotStart(): HandlerFailure | undefined {
    if (this.#startFault === undefined || this.serving > 0) return undefined;
    return new HandlerFailure(`${this.#options.workload.name} cannot start: ${this.#startFault}`, {
      status: 503,
      retryAfterMs: this.waitMs || undefined,
    });
  }

  count(phase: Member['phase']): number {
    let count = 0;
    for (const member of this.#members) if (member.phase === phase) count += 1;
    return count;
  }

  /** The ready one that has least to do, if it has fewer calls than `callsEach`. */
  withRoom(callsEach: number): Member | undefined {
    let best: Member | undefined;
    for (const member of this.#members) {
      if (member.phase !== 'ready' || member.inFlight >= callsEach) continue;
      if (best === undefined || member.inFlight < best.inFlight) best = member;
    }
    return best;
  }

  /** Begins one more. False when not even that was possible. */
  begin(): boolean {
    const { workload, runtime, log } = this.#options;
    try {
      const instance = runtime.start(workload, log);
      const member = new Member(instance, eventHandler(instance, workload, this.#mask), this.#options.clock.now());
      this.#members.add(member);
      void this.#follow(member);
      return true;
    } catch (error) {
      this.#startFailed(error);
      return false;
    }
  }

  /** Makes it so many that serve; those with the fewest calls go first, and of those the youngest. */
  resize(instances: number): void {
    while (this.serving < instances && this.waitMs === 0) if (!this.begin()) return;
    while (this.serving > instances) this.#retire();
  }

  /** An instance answered: all is well. */
  succeeded(): void {
    this.#backoff.succeeded();
  }

  /** A member did not take a call: it gets no other. */
  refused(member: Member): void {
    if (member.phase !== 'leaving') this.#failed('it refused the connection');
    member.phase = 'leaving';
  }

  /** A call of this member is over; `mustGo` when the code may still be at work on it: only its end surely ends that. */
  callEnded(member: Member, mustGo: boolean): void {
    if (mustGo) member.phase = 'leaving';
    if (member.phase === 'leaving' && member.inFlight === 0) void member.instance.kill();
  }

  /** Gives up every call, for this reason. */
  abandon(reason: HandlerFailure): void {
    for (const member of this.#members) member.abandon(reason);
  }

  /** Ends them all; resolves when none is left. */
  async endAll(how: 'stop' | 'kill'): Promise<void> {
    const members = [...this.#members];
    for (const member of members) member.phase = 'leaving';
    await Promise.all(members.map(({ instance }) => instance[how]()));
  }

  #retire(): void {
    const serving = [...this.#members].filter((member) => member.phase !== 'leaving').toReversed();
    const member = serving.reduce((least, other) => (other.inFlight < least.inFlight ? other : least));
    const isStarting = member.phase === 'starting';
    member.phase = 'leaving';
    // What it has it finishes; one that is not ready yet has nothing.
    void (isStarting ? member.instance.kill() : member.instance.stop());
  }

  /** The life of an instance, as its function takes it. */
  async #follow(member: Member): Promise<void> {
    const { instance } = member;
    try {
      await instance.ready;
      if (member.phase === 'starting') this.#came(member);
    } catch (error) {
      const wasWanted = member.phase === 'starting';
      member.phase = 'leaving';
      if (wasWanted) this.#startFailed(error);
    }
    const how = await instance.ended;
    this.#members.delete(member);
    if (member.phase !== 'leaving') this.#failed(`it ${how}`);
    member.phase = 'leaving';
    this.#options.changed();
  }

  #came(member: Member): void {
    member.phase = 'ready';
    this.#startFault = undefined;
    member.instance.onReadiness?.((isReady) => {
      if (member.phase === 'leaving') return;
      member.phase = isReady ? 'ready' : 'paused';
      this.#options.changed();
    });
    this.#options.changed();
  }

  #startFailed(error: unknown): void {
    this.#startFault = error instanceof Error ? error.message : String(error);
    this.#failed(this.#startFault);
    this.#options.startFailed();
  }

  #failed(fault: string): void {
    this.#lastFault = fault;
    this.#backoff.failed();
  }
}
