/** How much a record matters. */
export type Level = 'debug' | 'info' | 'warn' | 'error';

/** The order of the levels. */
export const RANKS: Readonly<Record<Level, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

/** A sentence, and the facts that belong to it. */
export type Say = (message: string, facts?: Readonly<Record<string, unknown>>) => void;

/** Says something to whoever runs the bus. Secrets are masked on the way; it never throws. */
export type Logger = Readonly<Record<Level, Say>>;
