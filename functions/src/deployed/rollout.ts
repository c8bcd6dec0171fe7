import { namesOf } from './declared.ts';
import type { Declared } from './declared.ts';
import { LiveRevisions } from './live-revisions.ts';
import { look } from './look.ts';
import type { Problem, Seen } from './look.ts';
import { highestNumber, nextRevision } from './next-revision.ts';
import { environmentOf } from './record.ts';
import type { RevisionRecord } from './record.ts';
import type { FunctionState, Records } from './records.ts';
import { Revision } from './revision.ts';
import type { RevisionPlace } from './revision.ts';
import { splitOf } from './traffic.ts';
import type { Split } from './traffic.ts';

/** So many revisions are kept, beside those that traffic names. */
const KEPT_REVISIONS = 10;
/** When packages that could not be installed for a new revision are tried again. */
const RETRY_MS = 60_000;

export interface RolloutOptions {
  readonly place: RevisionPlace;
  readonly records: Records;
  /** Hears what becomes of its revisions, a line each. */
  readonly news: (text: string) => void;
  /** Folders that are no part of any code, such as those of this process's own. */
  readonly except: readonly string[];
}

/**
 * Keeps the revisions of a function true to what is declared, and says which of them get calls.
 *
 *   declared, code ─▶ the same as the latest revision? ─ yes ─▶ nothing
 *                                 │ no
 *                                 ▼
 *                     the next revision ─▶ packages ─▶ one instance ─ ready ─▶ it is the latest: calls go to it
 *                                              └────────────┴─ fails ─▶ the one before goes on
 *
 * What a revision has when calls go elsewhere, it finishes. The first revision begins with its first call.
 */
export class Rollout {
  readonly live = new LiveRevisions();
  readonly records: Records;
  readonly #options: RolloutOptions;
  #declared: Declared;
  #seen: Seen;
  #split: Split = { shares: [], tags: new Map(), missing: [] };
  #latest: string | undefined;
  #candidate: Revision | undefined;
  #problem: Problem | undefined;
  /** What could not start, by its fingerprint: the same again is not tried again. */
  #failed: { readonly fingerprint: string; readonly problem: Problem } | undefined;
  #cancelRetry = (): void => {};
  #isOver = false;

  constructor(declared: Declared, options: RolloutOptions) {
    this.#options = options;
    this.records = options.records;
    this.#declared = declared;
    this.#seen = look(declared.code, options.except);
    this.#follow();
  }

  get declared(): Declared {
    return this.#declared;
  }

  /** What was seen of its code last. */
  get seen(): Seen {
    return this.#seen;
  }

  get split(): Split {
    return this.#split;
  }

  /** The name of the revision that gets what goes to the latest. */
  get latest(): string | undefined {
    return this.#latest;
  }

  /** The next one, while it is not known whether it can start. */
  get candidate(): Revision | undefined {
    return this.#candidate;
  }

  /** Why what is declared is not what runs. */
  get problem(): Problem | undefined {
    return this.#problem ?? this.#missing();
  }

  get isOver(): boolean {
    return this.#isOver;
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

  /** Changes nothing from now on. */
  end(): void {
    this.#isOver = true;
    this.#dropCandidate();
  }

  /** The revision that a rollback has given all calls. */
  get pinned(): string | undefined {
    const record = this.records.revisions.get(this.records.state.pinned ?? '');
    const isThere = record !== undefined && (this.live.get(record.name) !== undefined || this.isUsable(record));
    return isThere ? record.name : undefined;
  }

  /** Gives a revision all calls, for good. The latest: as it was. */
  pin(revision: Revision): void {
    const { name } = revision.record;
    this.live.put(revision);
    this.remember({ pinned: name === this.#latest ? undefined : name });
    this.#route();
    this.#news(`revision ${name} has the traffic${name === this.#latest ? '' : ' (rolled back)'}`);
  }

  make(record: RevisionRecord): Revision {
    const { minScale, maxScale } = this.records.state;
    return new Revision(record, this.#declared, {
      place: this.#options.place,
      copyFolder: this.records.copyFolder(record),
      bounds: { minScale, maxScale },
    });
  }

  /** Whether its code still is what it was. */
  isUsable(record: RevisionRecord): boolean {
    if (record.copy !== null) return this.records.isIntact(record);
    return 'snapshot' in this.#seen && this.#seen.snapshot.hash === record.codeHash;
  }

  /** Keeps what is not in any manifest. What cannot be kept holds until the end of this process. */
  remember(changes: FunctionState): void {
    try {
      this.records.setState(changes);
    } catch (error) {
      this.#news(`what becomes of its revisions cannot be kept: ${(error as Error).message}`);
    }
  }

  #follow(): void {
    if ('problem' in this.#seen) {
      this.#dropCandidate();
      this.#problem = this.#seen.problem;
      return this.#route();
    }
    const { snapshot } = this.#seen;
    const { revisions, state } = this.records;
    const latest = revisions.get(this.#latest ?? state.latest ?? '');
    const now = this.#options.place.clock.now();
    const next = nextRevision({ declared: this.#declared, snapshot, records: this.records, latest, now });
    if (next.kind === 'same' && this.#candidate?.record.name !== next.latest.name) return this.#stay(next.latest);
    if (next.kind === 'taken') {
      if (latest !== undefined) this.#stay(latest);
      this.#problem = { reason: 'RevisionFailed', message: next.message };
      return;
    }
    const { name, fingerprint } = next.kind === 'same' ? next.latest : next.record;
    const tried = this.#candidate;
    if (tried?.record.name === name && tried.record.fingerprint === fingerprint && this.#isCurrent(tried)) {
      return this.#route();
    }
    if (next.kind === 'same') return this.#stay(next.latest);
    if (this.#failed?.fingerprint === fingerprint) {
      this.#problem = this.#failed.problem;
      return this.#route();
    }
    this.#dropCandidate();
    // Calls that wait for what was never ready wait for this one instead.
    if (this.#latest === state.unproven) this.#latest = undefined;
    const before = revisions.get(this.#latest ?? state.latest ?? '');
    try {
      this.#forgetUnproven(name);
      this.#begin(this.records.add(next.record, snapshot.copy), before);
    } catch (error) {
      const message = `revision ${name} cannot be kept: ${(error as Error).message}`;
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
    if ('snapshot' in this.#seen && !this.records.isIntact(latest) && latest.codeHash === this.#seen.snapshot.hash) {
      this.records.add(latest, this.#seen.snapshot.copy);
    }
    this.#forgetUnproven(latest.name);
    this.remember({ latest: latest.name, unproven: undefined, number: highestNumber(this.records) });
    this.#route();
    // The same revision, but its secrets or its place are others now: so must be its instances.
    for (const revision of [...this.live].filter((it) => !this.#isCurrent(it))) {
      const renewed = this.make(revision.record);
      if (revision.record.name === latest.name) this.#tryOut(renewed);
      else this.live.put(renewed);
    }
  }

  #begin(record: RevisionRecord, before: RevisionRecord | undefined): void {
    this.#problem = undefined;
    const revision = this.make(record);
    const number = highestNumber(this.records);
    const isServed = this.#latest !== undefined;
    const mayFallBack = before !== undefined && this.isUsable(before);
    if (!isServed && !mayFallBack) {
      // Nobody has called it: it shows with its first call whether it can start.
      this.#latest = record.name;
      this.live.put(revision);
      this.remember({ latest: record.name, unproven: undefined, number, pinned: undefined });
      this.#route();
      return;
    }
    this.remember({ unproven: record.name, number });
    if (!isServed) {
      // Changed while nothing ran: calls wait for it, rather than for what nobody wants any more.
      this.#latest = record.name;
      this.live.put(revision);
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
    const isNew = name !== this.records.state.latest;
    this.#candidate = undefined;
    this.#problem = undefined;
    this.#failed = undefined;
    this.#latest = name;
    this.live.put(revision);
    this.remember({ latest: name, unproven: undefined, ...(isNew ? { pinned: undefined } : {}) });
    this.#route();
    const percent = this.#split.shares.find((it) => it.revision === name)?.percent ?? 0;
    const share = percent === 100 ? 'the traffic' : `${percent} % of the traffic`;
    this.#news(`revision ${name} is ready${isNew ? '' : ' with its new variables'} and has ${share}`);
  }

  #giveUp(revision: Revision, error: Error): void {
    const { name, fingerprint } = revision.record;
    const { reason } = revision.status();
    this.#candidate = undefined;
    const before = this.records.state.latest;
    if (this.live.get(name) === revision) this.#latest = before;
    else void revision.close();
    this.#problem = {
      reason: reason === 'DependenciesNotInstalled' ? reason : 'RevisionFailed',
      message: `revision ${name} cannot start: ${error.message}; ${before === name ? 'it goes on as it was' : `${before} goes on serving`}`,
    };
    this.#failed = { fingerprint, problem: this.#problem };
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
    if (candidate !== undefined && this.live.get(candidate.record.name) !== candidate) void candidate.close();
  }

  /** What never became ready is nothing to go back to. */
  #forgetUnproven(except: string): void {
    const { unproven } = this.records.state;
    if (unproven !== undefined && unproven !== except) this.records.remove(unproven);
  }

  /** Sends calls where they are to go, and lets revisions end to which none go. */
  #route(): void {
    const { revisions, state } = this.records;
    const has = (name: string): boolean => {
      const record = revisions.get(name);
      // Ready before it gets calls, also where it is named.
      if (name === state.unproven && name !== this.#latest) return false;
      return this.live.get(name) !== undefined || (record !== undefined && this.isUsable(record));
    };
    this.#split = splitOf(this.#declared.traffic ?? [], { latest: this.#latest, pinned: this.pinned, has });
    const needed = new Set([...this.#split.shares.map((it) => it.revision), ...this.#split.tags.values()]);
    for (const name of needed) {
      if (this.live.get(name) === undefined) this.live.put(this.make(revisions.get(name)!));
    }
    this.live.keepOnly(needed);
    const named = [state.unproven, state.latest, state.pinned, this.#latest].filter((name) => name !== undefined);
    this.records.keep(KEPT_REVISIONS, new Set([...needed, ...named]));
  }

  #missing(): Problem | undefined {
    const missing = this.#split.missing.filter((name) => name !== this.records.state.unproven);
    if (missing.length === 0) return undefined;
    const names = [...this.records.revisions.keys()].join(', ');
    const what =
      missing.length === 1 ? `${missing[0]}, which is not there` : `${missing.join(', ')}, which are not there`;
    return {
      reason: 'RevisionMissing',
      message: `spec.traffic names ${what} (there are: ${names}); their part goes to the latest`,
    };
  }

  /** Whether its instances see the variables as they are declared now. */
  #isCurrent(revision: Revision): boolean {
    const { environment } = environmentOf(revision.record, this.#declared);
    const names = new Set([...Object.keys(environment), ...Object.keys(revision.environment)]);
    return [...names].every((name) => environment[name] === revision.environment[name]);
  }

  #news(text: string): void {
    this.#options.news(`${namesOf(this.#declared.name).service}: ${text}`);
  }
}
