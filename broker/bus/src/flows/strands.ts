import type { Attempt, History } from '../log/history.ts';
import type { Entry, Position } from '../log/log.ts';
import type { Outcome, Settlement, Waiting } from '../log/progress.ts';

/** How a strand ends. */
export type End =
  /** With an event that nobody in a flow takes further: its outcome. */
  | { readonly outcome: 'replied'; readonly entry: Entry }
  /** A delivery that brought no reply. */
  | { readonly outcome: 'silent'; readonly route: string }
  /** The route does not take the entry: it was not there when that came. */
  | { readonly outcome: 'passed' }
  /** A delivery that failed for good. */
  | { readonly outcome: 'failed'; readonly route: string; readonly reason: string };

/** A delivery: what an entry is on a route. */
export interface DeliveryKey {
  readonly position: Position;
  readonly route: string;
}

export interface StrandsOptions {
  readonly history: Pick<History, 'replies' | 'attempts' | 'waitingFor'>;
  /** The route that carries an entry on in its flow; null where none there wants it, undefined where it is in no flow. */
  readonly stepOf: (entry: Entry) => string | null | undefined;
  /** Where a route stood when it began; undefined for one that is not there. */
  readonly beganAt: (route: string) => Position | undefined;
}

/** What is known of an entry. */
interface Past {
  readonly replies: readonly Entry[];
  readonly attempts: readonly Attempt[];
  /** What was redriven waits, whatever its last attempt says. */
  readonly waiting: readonly Waiting[];
}

/** A delivery, then that of its reply in the next topic of the flow, and so on to the end. */
export class Strand {
  at: DeliveryKey;
  readonly ended: (end: End) => void;

  constructor(at: DeliveryKey, ended: (end: End) => void) {
    this.at = at;
    this.ended = ended;
  }
}

/**
 * Follows strands through the log, by cause: no event has to carry anything for it. What happened before a strand is
 * followed is read from the history, so it makes no difference when that begins, nor how often the process does.
 */
export class Strands {
  readonly #options: StrandsOptions;
  readonly #followed = new Map<string, Set<Strand>>();

  constructor(options: StrandsOptions) {
    this.#options = options;
  }

  /** How many are followed. */
  get size(): number {
    return this.#followed.size;
  }

  /** Calls `ended` once when the strand that begins with this delivery has ended: from now on, see {@link catchUp}. */
  follow(at: DeliveryKey, ended: (end: End) => void): Strand {
    const strand = new Strand(at, ended);
    this.#await(strand);
    return strand;
  }

  /** Reads what happened to strands before they were followed. Their ends may be told before this returns. */
  catchUp(strands: readonly Strand[]): void {
    // Strands that begin together have one past, which mostly is empty.
    const pasts = new Map<Position, Past>();
    for (const strand of strands) this.#catchUp(strand, pasts);
  }

  /** Its end is told no more. */
  forget(strand: Strand): void {
    const key = keyOf(strand.at);
    const others = this.#followed.get(key);
    others?.delete(strand);
    if (others?.size === 0) this.#followed.delete(key);
  }

  /** Is told of what entered the log. */
  entered(entries: readonly Entry[]): void {
    if (this.#followed.size === 0) return;
    for (const entry of entries) {
      const { cause } = entry;
      const followed = cause && this.#followed.get(keyOf(cause));
      // What became of a dead letter is told as the outcome of the delivery.
      if (followed === undefined || this.#isDeadLetter(entry)) continue;
      for (const strand of followed) this.#advance(strand, entry);
    }
  }

  /** Is told what became of each attempt, after what it brought into the log. */
  settled({ position, route, outcome }: Settlement): void {
    if (this.#followed.size === 0 || outcome === 'retrying') return;
    for (const strand of this.#followed.get(keyOf({ position, route })) ?? []) {
      this.#end(strand, this.#endOf({ position, route }, outcome));
    }
  }

  #await(strand: Strand): void {
    const key = keyOf(strand.at);
    const others = this.#followed.get(key);
    if (others === undefined) this.#followed.set(key, new Set([strand]));
    else others.add(strand);
  }

  /** Goes on as far as the history does. */
  #catchUp(strand: Strand, pasts: Map<Position, Past>): void {
    for (;;) {
      const { position, route } = strand.at;
      const past = pasts.get(position) ?? this.#pastOf(position);
      pasts.set(position, past);
      const last = past.attempts.findLast((it) => it.route === route);
      // What stands under it may be the dead letter.
      const isDead = last?.outcome === 'deadLettered';
      const reply = isDead ? undefined : past.replies.findLast((it) => it.cause?.route === route);
      if (reply === undefined) {
        if (last === undefined) {
          // What was not tried by the time the route began had passed it by.
          if (position <= (this.#options.beganAt(route) ?? 0)) this.#end(strand, { outcome: 'passed' });
        } else if (last.outcome !== 'retrying' && !past.waiting.some((it) => it.route === route)) {
          this.#end(strand, this.#endOf(strand.at, last.outcome));
        }
        return;
      }
      if (!this.#advance(strand, reply)) return;
    }
  }

  #pastOf(position: Position): Past {
    const { history } = this.#options;
    return {
      replies: history.replies(position),
      attempts: history.attempts(position),
      waiting: history.waitingFor(position),
    };
  }

  /** Whether an entry is what a delivery handed to a dead letter sink that is a topic, and no reply. */
  #isDeadLetter({ cause }: Entry): boolean {
    if (cause === undefined) return false;
    // Of the event nothing tells it: an EventTransform may have made another of it on the way to the topic.
    const last = this.#options.history.attempts(cause.position).findLast((it) => it.route === cause.route);
    return last?.outcome === 'deadLettered';
  }

  /** True when there is more to follow. */
  #advance(strand: Strand, entry: Entry): boolean {
    const route = this.#options.stepOf(entry);
    if (route === undefined || route === null) {
      // Such as a Choice without a choice for it: it was handed on, and ends there without an answer.
      this.#end(strand, route === null ? { outcome: 'silent', route: strand.at.route } : { outcome: 'replied', entry });
      return false;
    }
    this.forget(strand);
    strand.at = { position: entry.position, route };
    this.#await(strand);
    return true;
  }

  #endOf({ position, route }: DeliveryKey, outcome: Outcome): End {
    if (outcome === 'delivered') return { outcome: 'silent', route };
    if (outcome === 'cancelled') return { outcome: 'failed', route, reason: 'was cancelled' };
    // Why the subscriber failed, not what the dead letter sink made of it.
    const failed = this.#options.history
      .attempts(position)
      .findLast((it) => it.route === route && it.stage === 'subscriber' && it.failure !== undefined);
    return { outcome: 'failed', route, reason: failed?.failure?.message ?? 'failed for good' };
  }

  #end(strand: Strand, end: End): void {
    this.forget(strand);
    strand.ended(end);
  }
}

function keyOf({ position, route }: DeliveryKey): string {
  return `${position} ${route}`;
}
