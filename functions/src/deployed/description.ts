import type { Limits } from '@millrace/resources/container';
import type { Scaling } from '@millrace/resources/scaling';

import type { InstanceDescription } from '../scaling/members.ts';
import type { FunctionStatus } from '../running-function.ts';

/** A function as people are shown it. No value of a variable is in it. */
export interface FunctionDescription {
  /** `namespace/service`. */
  readonly name: string;
  readonly namespace: string;
  readonly service: string;
  readonly state: FunctionStatus['state'];
  /** One CamelCase word when something is wrong or not done yet; empty otherwise. */
  readonly reason: string;
  readonly message: string;
  /** Where code finds it: `http://ticket-agent.default.svc.cluster.local`. */
  readonly url: string;
  /** Undefined while none is found. */
  readonly code: CodeDescription | undefined;
  /** The revision that gets what goes to the latest: the newest that could start. */
  readonly latest: string | undefined;
  /** The newest first. */
  readonly revisions: readonly RevisionDescription[];
  /** The names of the variables, sorted. */
  readonly environment: readonly string[];
  /** As declared, with the bounds that hold in their place. */
  readonly scaling: Scaling;
  readonly limits: Limits;
  readonly notes: readonly string[];
}

/** What is run. */
export interface CodeDescription {
  readonly language: 'node' | 'python' | 'program' | 'image';
  /** Where the author's file is, for a handler. */
  readonly file: string | undefined;
  /** What is run, for a program. */
  readonly command: readonly string[] | undefined;
}

/** One revision, whether it has instances or not. */
export interface RevisionDescription {
  readonly name: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** Of the calls that ask for no tag. */
  readonly percent: number;
  readonly tags: readonly string[];
  /** `retired`: nothing is sent to it, it could be rolled back to. */
  readonly state: 'idle' | 'starting' | 'running' | 'failing' | 'retired';
  readonly reason: string;
  readonly message: string;
  /** Also those that begin or end. */
  readonly instances: number;
  /** Each of them, the oldest first. */
  readonly members: readonly InstanceDescription[];
  /** Those that take calls. */
  readonly ready: number;
  readonly inFlight: number;
  readonly waiting: number;
  /** How many instances the autoscaler wants; undefined at zero. */
  readonly desired: number | undefined;
  /** The rule behind that, for people. */
  readonly desiredReason: string | undefined;
  /** Of the files of its code, in hexadecimal digits. */
  readonly codeHash: string;
  /** Whether a rollback has given it all calls. */
  readonly isPinned: boolean;
}
