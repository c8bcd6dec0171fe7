/** How a command ends. Scripts rely on these numbers. */
export const EXIT = {
  ok: 0,
  /** It was tried and failed. */
  failure: 1,
  /** The command line itself is wrong. */
  usage: 2,
  notFound: 3,
  /** A port or a data folder belongs to another process. */
  conflict: 4,
  /** No process answers at the address. */
  unreachable: 5,
  /** A manifest has faults. */
  invalid: 6,
  /** The data folder cannot be used, or a write to it failed. */
  storage: 7,
  interrupted: 130,
} as const;

/** A failure that the command line reports: a message that says what to do, and the exit code of its kind. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;

  constructor(kind: keyof typeof EXIT, message: string) {
    super(message);
    this.exitCode = EXIT[kind];
  }
}
