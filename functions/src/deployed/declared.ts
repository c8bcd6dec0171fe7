import type { Wanted } from '../find-code.ts';
import type { Code, Workload } from '../workload.ts';

/** A function as it is declared now: its template, and which of its revisions get the calls. */
export interface Declared extends Omit<Workload, 'revision' | 'code'> {
  /** The code itself, or what is known of where it is: then it is looked for, now and whenever somebody asks again. */
  readonly code: Code | Wanted;
  /** Variables of the place where it runs, such as a proxy: given to every revision and part of none. */
  readonly provided?: Readonly<Record<string, string>> | undefined;
  /** The name that the template gives its revision; without one it is made. */
  readonly revisionName?: string | undefined;
  /** Which revisions get the calls; empty or absent: the latest that is ready. */
  readonly traffic?: readonly Traffic[] | undefined;
}

/** A part of the calls, and who gets it (Serving's `spec.traffic`). */
export interface Traffic {
  /** Undefined: the latest that is ready. */
  readonly revisionName: string | undefined;
  /** Of all calls that ask for no tag. */
  readonly percent: number;
  /** The name under which it can be called by itself. */
  readonly tag: string | undefined;
}

/** `default/ticket-agent`, taken apart. */
export function namesOf(name: string): { namespace: string; service: string } {
  const at = name.lastIndexOf('/');
  return { namespace: name.slice(0, Math.max(at, 0)), service: name.slice(at + 1) };
}
