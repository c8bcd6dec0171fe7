import type { Scaling } from '@millrace/resources/scaling';

const SECOND_MS = 1_000;
/** How much of the weight the buckets of a weighted window have together (Knative's weightPrecision). */
const WEIGHT_PRECISION = 0.9999;
/** The newest second has at least this weight; else a long window would hardly differ from a linear one. */
const LEAST_WEIGHT = 0.2;
/** Averages are cut after six decimals, so that a sum's last bit never asks for an instance more. */
const PRECISION = 1e6;

/** How long the window is that panic is decided on: a part of the stable one, in whole seconds (knative.md §9.1). */
export function panicWindowMs({ windowMs, panicWindowPercentage }: Scaling): number {
  return Math.max(1, Math.round((windowMs * panicWindowPercentage) / 100 / SECOND_MS)) * SECOND_MS;
}

/**
 * What was measured over the last seconds, in buckets of one second (knative.md §9.2). Values of the same second add
 * up: they come from several reporters. Times are milliseconds of a clock that does not go back.
 */
export class MetricWindow {
  /** A ring: the bucket of a second is at its remainder. All but those from `#first` to `#last` are 0. */
  readonly #buckets: Float64Array;
  readonly #algorithm: Scaling['metricAggregationAlgorithm'];
  /** The second of the first write after a whole window without one, and of the last. */
  #first = -Infinity;
  #last = -Infinity;

  constructor(lengthMs: number, algorithm: Scaling['metricAggregationAlgorithm']) {
    this.#buckets = new Float64Array(Math.ceil(lengthMs / SECOND_MS));
    this.#algorithm = algorithm;
  }

  /** Adds a value to its second. One that comes a whole window late is ignored. */
  record(time: number, value: number): void {
    const size = this.#buckets.length;
    const second = Math.floor(time / SECOND_MS);
    if (second <= this.#last - size) return;
    if (second > this.#last) this.#advance(second);
    else if (second < this.#first) this.#first = second;
    this.#buckets[second % size]! += value;
  }

  /** No value for more than a whole window: there is nothing to decide on. */
  isEmpty(now: number): boolean {
    return this.#late(now) > this.#buckets.length;
  }

  /**
   * The average for one second; 0 without a write for a whole window. Seconds between writes count as 0, those after
   * the last write not at all: who was silent for a moment has not gone.
   */
  average(now: number): number {
    const late = this.#late(now);
    if (late >= this.#buckets.length) return 0;
    const count = Math.min(this.#last - this.#first + 1, this.#buckets.length - late);
    const average = this.#algorithm === 'linear' ? this.#linear(count) : this.#weighted(count, late);
    return Math.floor(average * PRECISION) / PRECISION;
  }

  #linear(count: number): number {
    let sum = 0;
    for (let age = 0; age < count; age++) sum += this.#bucket(age);
    return sum / count;
  }

  /** Exponentially: c for the newest second, c·(1-c) for the one before, and so on. */
  #weighted(count: number, late: number): number {
    const coefficient = Math.max(1 - (1 - WEIGHT_PRECISION) ** (1 / this.#buckets.length), LEAST_WEIGHT);
    let weight = coefficient * (1 - coefficient) ** late;
    let sum = 0;
    for (let age = 0; age < count; age++) {
      sum += this.#bucket(age) * weight;
      weight *= 1 - coefficient;
    }
    return sum;
  }

  #bucket(age: number): number {
    return this.#buckets[(this.#last - age) % this.#buckets.length]!;
  }

  /** Seconds since the last write. */
  #late(now: number): number {
    return Math.max(0, Math.floor(now / SECOND_MS) - this.#last);
  }

  #advance(second: number): void {
    const size = this.#buckets.length;
    if (second - this.#last >= size) {
      this.#buckets.fill(0);
      this.#first = second;
    } else {
      for (let skipped = this.#last + 1; skipped <= second; skipped++) this.#buckets[skipped % size] = 0;
    }
    this.#last = second;
  }
}
