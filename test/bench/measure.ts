/** One figure of a benchmark: `value` beside its `limit`, measured in the same run. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with; null where it stands alone. */
  readonly limit: number | null;
  /** value / limit. */
  readonly ratio: number | null;
  /** The largest ratio (or, without a limit, the largest value) that is good enough; null where it is only reported. */
  readonly target: number | null;
  readonly ok: boolean;
}

/** A row with a limit beside it: good when value / limit is at most `target`. */
export function compared(name: string, value: number, unit: string, limit: number, target: number | null): Row {
  const ratio = value / limit;
  return { name, value, unit, limit, ratio, target, ok: target === null || ratio <= target };
}

/** A row that stands alone: good when the value is at most `target`. */
export function alone(name: string, value: number, unit: string, target: number | null = null): Row {
  return { name, value, unit, limit: null, ratio: null, target, ok: target === null || value <= target };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >>> 1]!;
}
