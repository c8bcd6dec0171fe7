/** A declared function: which code, what it is given, and how far it may scale. Plain data, made by the plan. */
export interface Workload {
  /** `namespace/service`, such as `default/ticket-agent`. */
  readonly name: string;
  readonly code: Code;
  /**
   * The variables as declared, secrets resolved. The code sees these and `PATH`, `HOME`, `TMPDIR` (both a private
   * folder) and `LANG`; nothing else of the process that runs it.
   */
  readonly environment: Readonly<Record<string, string>>;
  /** Values that must not be read in a log or an error; they show as `***`. */
  readonly secretValues: readonly string[];
  /** How long one call may take, in milliseconds, counted from when an instance gets it. */
  readonly timeoutMs: number;
  /** How many calls one instance may have at once; 0 = no limit of the author's (we hand out 100 at most). */
  readonly concurrency: number;
  /** How many instances there are at least, also without calls. */
  readonly minScale: number;
  /** How many instances there are at most; 0 = no bound of the author's (processes: 10). */
  readonly maxScale: number;
  /** How long an instance without a call is kept, in milliseconds. */
  readonly idleMs: number;
}

/** One file of an author's. `file` is absolute. */
export interface Code {
  readonly language: 'node' | 'python';
  readonly file: string;
}

/** What holds where nothing is declared. */
export const WORKLOAD_DEFAULTS = {
  environment: {},
  secretValues: [],
  timeoutMs: 300_000,
  concurrency: 0,
  minScale: 0,
  maxScale: 0,
  idleMs: 60_000,
} as const satisfies Omit<Workload, 'name' | 'code'>;
