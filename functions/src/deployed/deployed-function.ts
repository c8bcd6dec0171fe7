import type { Handler } from '@millrace/event/handler';
import { HandlerFailure } from '@millrace/event/handler';
import type { WebAnswer, WebCall } from '@millrace/event/web';

import type { FunctionStatus, RunningFunction } from '../running-function.ts';
import { namesOf } from './declared.ts';
import type { Declared } from './declared.ts';
import { describeFunction } from './describe.ts';
import type { FunctionDescription } from './description.ts';
import { LiveRevisions } from './live-revisions.ts';
import { look } from './look.ts';
import type { Problem, Seen } from './look.ts';
import { environmentOf, fingerprintOf, recordOf, templateOf } from './record.ts';
import type { RevisionRecord } from './record.ts';
import type { FunctionState, Records } from './records.ts';
import { Revision } from './revision.ts';
import type { Bounds, RevisionPlace } from './revision.ts';
import { statusOf } from './status.ts';
import { pick, splitOf } from './traffic.ts';
import type { Split } from './traffic.ts';

/** So many revisions are kept, beside those that traffic names. */
const KEPT_REVISIONS = 10;
/** When packages that could not be installed for a new revision are tried again. */
const RETRY_MS = 60_000;

export interface DeployedOptions {
  readonly place: RevisionPlace;
  readonly records: Records;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Hears what becomes of its revisions, a line each. */
  readonly news: (text: string) => void;
  /** Folders that are no part of any code, such as those of this process's own. */
  readonly except: readonly string[];
}

/**
 * A declared function: its revisions, and which of them gets a call.
 *
 *   declared, code ─▶ the same as the latest revision? ─ yes ─▶ nothing
 *                                 │ no
 *                                 ▼
 *                     the next revision ─▶ packages ─▶ one instance ─ ready ─▶ it is the latest: calls go to it
 *                                              └────────────┴─ fails ─▶ the one before goes on
 *
 * What a revision has when calls go elsewhere, it finishes. The first revision begins with its first call.
 */
export class DeployedFunction implements RunningFunction {
  readonly #options: DeployedOptions;
  readonly #records: Records;
  readonly #live = new LiveRevisions();
  #declared: Declared;
  #seen: Seen;
  #split: Split = { shares: [], tags: new Map(), missing: [] };
  /** The name of the revision that gets what goes to the latest. */
  #latest: string | undefined;
  /** The next one, while it is not known whether it can start. */
  #candidate: Revision | undefined;
  /** Why what is declared is not what runs. */
  #problem: Problem | undefined;
  /** The fingerprint of what could not start: the same again is not tried again. */
  #failed: string | undefined;
  #cancelRetry = (): void => {};
  #isOver = false;

  constructor(declared: Declared, options: DeployedOptions) {
    this.#options = options;
    this.#records = options.records;
    this.#declared = declared;
    this.#seen = look(declared.code, options.except);
    this.#follow();
  }

  /** It is declared otherwise now. */
  change(declared: Declared): void {
    this.#declared = declared;
    this.lookAgain();
  }

  /** Its code may be another one now. */
  lookAgain(): void {
    if (this.#isOver) return;
    this.#seen = look(this.#declared.code, this.#options.except);
    this.#follow();
  }

  /** Where its code is, or was looked for. */
  get folders(): readonly string[] {
    return this.#seen.folders;
  }

  // ------------------------------------------------------------ calls

  readonly handler: Handler = (event, context) => {
    const revision = this.#pick();
    return revision === undefined ? Promise.reject(this.#unavailable()) : revision.handler(event, context);
  };

  request(call: WebCall, { tag }: { readonly tag?: string | undefined } = {}): Promise<WebAnswer> {
    const revision = tag === undefined ? this.#pick() : this.#tagged(tag);
    if (revision !== undefined) return revision.request(call);
    if (tag === undefined || this.#latest === undefined) return Promise.reject(this.#unavailable());
    const tags = [...this.#split.tags.keys()].join(', ') || 'none';
    const message = `${this.#declared.name} has no revision of the tag ${tag}; its tags: ${tags}`;
    return Promise.reject(new HandlerFailure(message, { status: 404 }));
  }

  /** As much as every revision can take of its share. */
  room(): number {
    let room = Infinity;
    for (const { revision, percent } of this.#split.shares) {
      room = Math.min(room, Math.floor((this.#live.get(revision)!.room() * 100) / percent));
    }
    return room;
  }

  onRoom(listener: () => void): () => void {
    return this.#live.onRoom(listener);
  }

  warm(): void {
    for (const { revision } of this.#split.shares) this.#live.get(revision)!.warm();
  }

  status(): FunctionStatus {
    const serving = this.#split.shares.map(({ revision }) => this.#live.get(revision)!);
    return statusOf({ all: this.#live.all(), serving, problem: this.#problem ?? this.#missing() });
  }

  describe(): FunctionDescription {
    return describeFunction({
      declared: this.#declared,
      status: this.status(),
      seen: this.#seen,
      records: this.#records,
      split: this.#split,
      live: this.#live,
      candidate: this.#candidate,
    });
  }

  async drain(): Promise<void> {
    this.#end();
    await this.#live.drain();
  }

  /** Ends everything now; the calls that it has are rejected. Resolves when no instance is left. Idempotent. */
  async close(): Promise<void> {
    this.#end();
    await this.#live.close();
  }

  #end(): void {
    this.#isOver = true;
    this.#dropCandidate();
  }

  #pick(): Revision | undefined {
    const name = pick(this.#split.shares, this.#options.random);
    return name === undefined ? undefined : this.#live.get(name);
  }

  #tagged(tag: string): Revision | undefined {
    const name = this.#split.tags.get(tag);
    return name === undefined ? undefined : this.#live.get(name);
  }

  #unavailable(): HandlerFailure {
    return new HandlerFailure(this.#problem?.message ?? `${this.#declared.name} has no revision`, { status: 503 });
  }

  // ------------------------------------------------------------ what people do

  /**
   * Gives all calls to another revision: the one before, the one named, or `latest` again. Resolves with its name once
   * it has an instance that takes calls and the calls go to it. Rejects with an Error for people; nothing is changed
   * then.
   */
  async rollback(to?: string): Promise<string> {
    const record = this.#revisionToRollTo(to);
    const revision = this.#live.get(record.name) ?? this.#make(record);
    try {
      await revision.prove();
    } catch (error) {
      if (this.#live.get(record.name) !== revision) await revision.close();
      throw new Error(`${record.name} cannot start: ${(error as Error).message}`, { cause: error });
    }
    if (this.#isOver) {
      await revision.close();
      throw new Error(`${this.#declared.name} is being stopped`);
    }
    this.#live.put(revision);
    this.#remember({ pinned: record.name === this.#latest ? undefined : record.name });
    this.#route();
    this.#news(`revision ${record.name} has the traffic${record.name === this.#latest ? '' : ' (rolled back)'}`);
    return record.name;
  }

  /** Sets bounds in the place of the declared ones, for good; null lets the declared one hold again. */
  scale(bounds: { readonly min?: number | null | undefined; readonly max?: number | null | undefined }): void {
    const { minScale, maxScale } = this.#records.state;
    const min = bounds.min === undefined ? minScale : (bounds.min ?? undefined);
    const max = bounds.max === undefined ? maxScale : (bounds.max ?? undefined);
    for (const [name, value] of [
      ['min', min],
      ['max', max],
    ] as const) {
      if (value !== undefined && !(Number.isInteger(value) && value >= 0)) {
        throw new Error(`${name}: expected an integer >= 0, got ${value}`);
      }
    }
    if (min !== undefined && max !== undefined && max !== 0 && min > max) {
      throw new Error(`min: expected at most max, ${max}, got ${min}`);
    }
    this.#remember({ minScale: min, maxScale: max });
    for (const revision of this.#live) revision.setBounds({ minScale: min, maxScale: max });
  }

  #revisionToRollTo(to: string | undefined): RevisionRecord {
    const { revisions, state } = this.#records;
    const there = [...revisions.values()].filter((it) => it.name !== state.unproven);
    const names = there.map((it) => it.name).join(', ') || 'none';
    if (this.#latest === undefined)
      throw new Error(`${this.#declared.name} has no revision: ${this.#problem?.message}`);
    const current = revisions.get(this.#pinned() ?? this.#latest);
    const record =
      to === undefined
        ? there.findLast((it) => it.number < (current?.number ?? Infinity))
        : revisions.get(to === 'latest' ? this.#latest : to);
    if (record === undefined) {
      const what = to === undefined ? `a revision before ${current?.name}` : `a revision ${to}`;
      throw new Error(`${this.#declared.name} has not got ${what}; there are: ${names}`);
    }
    if (!this.#isUsable(record)) {
      throw new Error(`the code of ${record.name} is not kept${record.notes.map((note) => `: ${note}`).join('')}`);
    }
    return record;
  }

  // ------------------------------------------------------------ revisions

  /** Makes what runs follow what is declared and what was seen. */
  #follow(): void {
    const { name, revisionName } = this.#declared;
    if ('problem' in this.#seen) {
      this.#dropCandidate();
      this.#problem = this.#seen.problem;
      this.#route();
      return;
    }
    const { snapshot } = this.#seen;
    const template = templateOf(this.#declared);
    const fingerprint = fingerprintOf(snapshot.hash, template);
    const isWanted = (record: RevisionRecord | undefined): record is RevisionRecord =>
      record?.fingerprint === fingerprint && (revisionName === undefined || record.name === revisionName);
    const { revisions, state } = this.#records;
    const known = this.#latest ?? state.latest;
    const latest = known === undefined ? undefined : revisions.get(known);

    if (isWanted(this.#candidate?.record) && this.#isCurrent(this.#candidate)) return this.#route();
    if (isWanted(latest)) return this.#stay(latest);
    if (this.#failed === fingerprint) return this.#route();

    const unproven = revisions.get(state.unproven ?? '');
    const namesake = revisionName === undefined ? undefined : revisions.get(revisionName);
    if (namesake !== undefined && namesake !== unproven && !isWanted(namesake)) {
      this.#dropCandidate();
      if (latest !== undefined) this.#stay(latest);
      this.#problem = {
        reason: 'RevisionFailed',
        message: `revision names must be unique: ${name} has a revision ${revisionName} with other content; give spec.template.metadata.name another one`,
      };
      return;
    }
    const again = namesake ?? (isWanted(unproven) ? unproven : undefined);
    const number = Math.max(state.number ?? 0, ...[...revisions.values()].map((it) => it.number)) + 1;
    const made = again ?? {
      number,
      name: revisionName ?? `${namesOf(name).service}-${String(number).padStart(5, '0')}`,
      createdAt: new Date(this.#options.place.clock.now()).toISOString(),
    };
    const { name: its, number: count, createdAt } = made;
    const record = recordOf({ name: its, number: count, createdAt }, snapshot, template);
    try {
      if (unproven !== undefined && unproven.name !== its) this.#records.remove(unproven.name);
      this.#begin(this.#records.add(record, snapshot.copy), latest);
    } catch (error) {
      const message = `revision ${its} cannot be kept: ${(error as Error).message}`;
      this.#problem = { reason: 'RevisionFailed', message };
      this.#news(message);
      this.#route();
    }
  }

  /** What is declared is the latest revision. */
  #stay(latest: RevisionRecord): void {
    this.#dropCandidate();
    this.#problem = undefined;
    this.#failed = undefined;
    this.#latest = latest.name;
    if ('snapshot' in this.#seen && !this.#records.isIntact(latest) && latest.codeHash === this.#seen.snapshot.hash) {
      this.#records.add(latest, this.#seen.snapshot.copy);
    }
    this.#remember({
      latest: latest.name,
      unproven: undefined,
      number: Math.max(latest.number, this.#records.state.number ?? 0),
    });
    this.#route();
    // The same revision, but its secrets or its place are others now: so must be its instances.
    for (const revision of [...this.#live].filter((it) => !this.#isCurrent(it))) {
      const renewed = this.#make(revision.record);
      if (revision.record.name === latest.name) this.#tryOut(renewed);
      else this.#live.put(renewed);
    }
  }

  #begin(record: RevisionRecord, before: RevisionRecord | undefined): void {
    this.#dropCandidate();
    this.#problem = undefined;
    const revision = this.#make(record);
    const number = Math.max(record.number, this.#records.state.number ?? 0);
    const isServed = this.#latest !== undefined;
    const mayFallBack = before !== undefined && this.#isUsable(before);
    if (!isServed && !mayFallBack) {
      // Nobody has called it: it shows with its first call whether it can start.
      this.#latest = record.name;
      this.#live.put(revision);
      this.#remember({ latest: record.name, unproven: undefined, number, pinned: undefined });
      this.#route();
      return;
    }
    this.#remember({ unproven: record.name, number });
    if (!isServed) {
      // Changed while nothing ran: calls wait for it, rather than for what nobody wants any more.
      this.#latest = record.name;
      this.#live.put(revision);
    }
    this.#route();
    this.#tryOut(revision);
  }

  /** Begins an instance of it; once that is ready, it gets the calls. */
  #tryOut(revision: Revision): void {
    this.#candidate = revision;
    revision.prove().then(
      () => {
        if (this.#candidate === revision) this.#promote(revision);
      },
      (error: unknown) => {
        if (this.#candidate === revision) this.#giveUp(revision, error as Error);
      },
    );
  }

  #promote(revision: Revision): void {
    const { name } = revision.record;
    const isNew = name !== this.#records.state.latest;
    this.#candidate = undefined;
    this.#problem = undefined;
    this.#failed = undefined;
    this.#latest = name;
    this.#live.put(revision);
    this.#remember({ latest: name, unproven: undefined, ...(isNew ? { pinned: undefined } : {}) });
    this.#route();
    const percent = this.#split.shares.find((it) => it.revision === name)?.percent ?? 0;
    const share = percent === 100 ? 'the traffic' : `${percent} % of the traffic`;
    this.#news(`revision ${name} is ready${isNew ? '' : ' with its new variables'} and has ${share}`);
  }

  #giveUp(revision: Revision, error: Error): void {
    const { name, fingerprint } = revision.record;
    const { reason } = revision.status();
    this.#candidate = undefined;
    this.#failed = fingerprint;
    const before = this.#records.state.latest;
    if (this.#live.get(name) === revision) this.#latest = before;
    else void revision.close();
    this.#problem = {
      reason: reason === 'DependenciesNotInstalled' ? reason : 'RevisionFailed',
      message: `revision ${name} cannot start: ${error.message}; ${before === name ? 'it goes on as it was' : `${before} goes on serving`}`,
    };
    this.#route();
    this.#news(this.#problem.message);
    if (reason !== 'DependenciesNotInstalled') return;
    this.#cancelRetry = this.#options.place.clock.after(RETRY_MS, () => {
      this.#failed = undefined;
      this.#follow();
    });
  }

  #dropCandidate(): void {
    this.#cancelRetry();
    const candidate = this.#candidate;
    this.#candidate = undefined;
    if (candidate !== undefined && this.#live.get(candidate.record.name) !== candidate) void candidate.close();
  }

  /** Sends calls where they are to go, and lets revisions end to which none go. */
  #route(): void {
    const { revisions, state } = this.#records;
    const has = (name: string): boolean => {
      const record = revisions.get(name);
      // Ready before it gets calls, also where it is named.
      if (name === state.unproven && name !== this.#latest) return false;
      return this.#live.get(name) !== undefined || (record !== undefined && this.#isUsable(record));
    };
    this.#split = splitOf(this.#declared.traffic ?? [], { latest: this.#latest, pinned: this.#pinned(), has });
    const needed = new Set([...this.#split.shares.map((it) => it.revision), ...this.#split.tags.values()]);
    for (const name of needed) {
      if (this.#live.get(name) === undefined) this.#live.put(this.#make(revisions.get(name)!));
    }
    this.#live.keepOnly(needed);
    const named = [state.unproven, state.latest, state.pinned, this.#latest].filter((name) => name !== undefined);
    this.#records.keep(KEPT_REVISIONS, new Set([...needed, ...named]));
  }

  #pinned(): string | undefined {
    const record = this.#records.revisions.get(this.#records.state.pinned ?? '');
    const isThere = record !== undefined && (this.#live.get(record.name) !== undefined || this.#isUsable(record));
    return isThere ? record.name : undefined;
  }

  #missing(): Problem | undefined {
    const missing = this.#split.missing.filter((name) => name !== this.#records.state.unproven);
    if (missing.length === 0) return undefined;
    const names = [...this.#records.revisions.keys()].join(', ');
    const what =
      missing.length === 1 ? `${missing[0]}, which is not there` : `${missing.join(', ')}, which are not there`;
    return {
      reason: 'RevisionMissing',
      message: `spec.traffic names ${what} (there are: ${names}); their part goes to the latest`,
    };
  }

  #make(record: RevisionRecord): Revision {
    const { place } = this.#options;
    const copyFolder = this.#records.copyFolder(record);
    return new Revision(record, this.#declared, { place, copyFolder, bounds: this.#bounds() });
  }

  #bounds(): Bounds {
    const { minScale, maxScale } = this.#records.state;
    return { minScale, maxScale };
  }

  /** Whether its code still is what it was. */
  #isUsable(record: RevisionRecord): boolean {
    if (record.copy !== null) return this.#records.isIntact(record);
    return 'snapshot' in this.#seen && this.#seen.snapshot.hash === record.codeHash;
  }

  /** Whether its instances see the variables as they are declared now. */
  #isCurrent(revision: Revision): boolean {
    const { environment } = environmentOf(revision.record, this.#declared);
    const names = new Set([...Object.keys(environment), ...Object.keys(revision.environment)]);
    return [...names].every((name) => environment[name] === revision.environment[name]);
  }

  #remember(changes: FunctionState): void {
    try {
      this.#records.setState(changes);
    } catch (error) {
      this.#news(`what becomes of its revisions cannot be kept: ${(error as Error).message}`);
    }
  }

  #news(text: string): void {
    this.#options.news(`${namesOf(this.#declared.name).service}: ${text}`);
  }
}
