import { randomUUID } from 'node:crypto';

/** Time and chance, as the API takes them in. */
export interface ApiEnvironment {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A UUID that nothing else has. */
  readonly uid: () => string;
  /** Calls back after so many milliseconds, unless the returned function is called before. */
  readonly after: (milliseconds: number, call: () => void) => () => void;
}

/** The machine's own. */
export const systemApiEnvironment: ApiEnvironment = {
  now: Date.now,
  uid: randomUUID,
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Kubernetes' times are whole seconds. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
