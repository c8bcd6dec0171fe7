import type { Readable } from 'node:stream';

import type { Workload } from '../../workload.ts';

/** What an instance is to be, whoever begins its process. */
export interface Order {
  readonly workload: Workload;
  /** Where it is to listen. */
  readonly socket: string;
  /** Its working directory, its own. */
  readonly home: string;
  /** All that it sees. */
  readonly environment: Readonly<Record<string, string>>;
  /** To be called with the number of the process before it hears what code to load: puts it under its limits. */
  begun(pid: number): void;
}

/** A process that was begun for an order: the first of a process group of its own. */
export interface Launched {
  /** Its own port, where it does not listen on the order's socket. */
  readonly port?: number | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** What it says of itself once it has loaded the code, or why it could not. Undefined when it ended before that. */
  readonly told: Promise<Told | undefined>;
  /** How it ended: `exited with code 1`; an Error, for people, when it never began. */
  readonly exit: Promise<string | Error>;
  /** What cannot be kept of the workload. */
  readonly notes: readonly string[];
  /** Sends to its whole group. Without effect when nobody is left in it. */
  readonly signal: (signal: NodeJS.Signals) => void;
}

/** The one line of JSON that a runner writes when the code is loaded. */
export type Told = { readonly ready: true } | { readonly error: string };

/** Begins a process. Throws when there is no room to begin one at all. */
export type Launch = (order: Order) => Launched;

/** Who begins the processes of one language, with what it holds ready for that. */
export interface Launcher {
  readonly launch: Launch;
  /** Ends what it holds ready, and resolves when that is gone. A launch after that is all right. */
  close(): Promise<void>;
}

/** The line of JSON that a runner reads: what it is to serve. It sees this environment and no other. */
export interface RunnerOrder {
  readonly file: string;
  /** Where the file was found when it is a copy. */
  readonly origin: string | undefined;
  /** Where its dependencies are. */
  readonly packages: string | undefined;
  readonly socket: string;
  readonly home: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The source of replies that name none. */
  readonly source: string;
}

/** The same for a command that is begun for every call. */
export interface CommandOrder extends Pick<RunnerOrder, 'socket' | 'home' | 'environment'> {
  readonly command: readonly string[];
  /** Where it runs. */
  readonly folder: string;
}

/** The order as a runner reads it. For what a runner of ours serves. */
export function runnerOrder({ workload, socket, home, environment }: Order): RunnerOrder | CommandOrder {
  const { code } = workload;
  if (code.language === 'program') return { command: code.command, folder: code.folder, socket, home, environment };
  if (!('file' in code)) throw new TypeError(`a ${code.language} has no runner`);
  const { file, origin, packages } = code;
  return { file, origin, packages, socket, home, environment, source: `/functions/${workload.name}` };
}
