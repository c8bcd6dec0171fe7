import type { Limits, Probe } from '@millrace/resources/container';
import type { Scaling } from '@millrace/resources/scaling';
import { scalingOf } from '@millrace/resources/scaling';

/** A declared function: which code, what it is given, and how far it may scale. Plain data, made by the plan. */
export interface Workload {
  /** `namespace/service`, such as `default/ticket-agent`. */
  readonly name: string;
  /** The revision that this is, such as `ticket-agent-00001`; in logs and answers. */
  readonly revision: string;
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
  /** How many calls one instance may have at once; 0 = no limit. */
  readonly concurrency: number;
  readonly scaling: Scaling;
  readonly limits: Limits;
  /** When an instance takes calls; without one it does as soon as its port or socket listens. */
  readonly readiness?: Probe | undefined;
  /** When an instance must be ended, once it took calls; without one only when it ends by itself. */
  readonly liveness?: Probe | undefined;
  /** How long an instance may take to become ready, in milliseconds; Serving's progress deadline, 10 minutes by default. */
  readonly progressDeadlineMs?: number | undefined;
  /** How long an instance that was asked to end (SIGTERM) may take before it is ended; 10 seconds by default. */
  readonly terminationGraceMs?: number | undefined;
}

/** What is run. All paths are absolute. */
export type Code =
  | {
      /** One file of an author's, served by our runner in the form of its handler. */
      readonly language: 'node' | 'python';
      readonly file: string;
      /** Where its dependencies were installed: the folder with a `node_modules`, or the one for Python's path. */
      readonly packages?: string | undefined;
      /** Where the file was found when `file` is a copy: what it asks of its surroundings is found there. */
      readonly origin?: string | undefined;
    }
  | {
      /** Any program: it listens on `$PORT`, or is begun for every call with the data on stdin and its reply on stdout. */
      readonly language: 'program';
      readonly command: readonly string[];
      readonly folder: string;
      readonly speaks: 'http' | 'stdio';
    }
  | {
      /** A container image that listens on `port`. */
      readonly language: 'image';
      readonly image: string;
      readonly command: readonly string[];
      readonly arguments: readonly string[];
      readonly port: number;
    };

/** What holds where nothing is declared. */
export const WORKLOAD_DEFAULTS = {
  revision: '',
  environment: {},
  secretValues: [],
  timeoutMs: 300_000,
  concurrency: 0,
  scaling: scalingOf(undefined),
  limits: {},
} as const satisfies Omit<Workload, 'name' | 'code'>;
