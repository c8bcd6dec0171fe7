import { compileEventCheck } from './event-check.ts';
import type { EventCheck, EventSchema } from './event-check.ts';

/** A topic whose events are held against schemas before they enter, as the plan has it. */
interface DeclaredCheck {
  readonly topic: string;
  readonly schemas: readonly EventSchema[];
  readonly mismatches: string | undefined;
}

/** A check that is in force. */
interface TopicCheck {
  readonly check: EventCheck;
  /** The topic that takes what does not match; undefined: nobody takes it. */
  readonly mismatches: string | undefined;
}

/**
 * The checks of all topics. One whose mismatches enter a topic is in force only while that has a route: nobody would
 * deliver them. So a plan is announced before its routes change, and holds as a whole once they are placed.
 */
export class TopicChecks {
  #inForce: ReadonlyMap<string, TopicCheck> = new Map();
  #announced: readonly DeclaredCheck[] = [];

  /** What events of a topic are held against; undefined for most. */
  of(topic: string): TopicCheck | undefined {
    return this.#inForce.get(topic);
  }

  /** These are to hold; until then only those do that need no route, or whose route runs already. */
  announce(checks: readonly DeclaredCheck[], runs: (route: string) => boolean): void {
    this.#announced = checks;
    this.#enforce(checks.filter(({ mismatches }) => mismatches === undefined || runs(mismatches)));
  }

  /** All routes are placed: what was announced holds. */
  placed(): void {
    this.#enforce(this.#announced);
  }

  #enforce(checks: readonly DeclaredCheck[]): void {
    this.#inForce = new Map(
      checks.map(({ topic, schemas, mismatches }) => [topic, { check: compileEventCheck(schemas), mismatches }]),
    );
  }
}
