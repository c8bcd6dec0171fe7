import type { FunctionLog } from '../function-log.ts';

const MOST_LINES = 1_000;
const MOST_CHARACTERS = 1024 * 1024;

/** The last lines of a function: at most 1,000, and at most 1 MiB of text. */
export interface LogRing {
  add(line: FunctionLog): void;
  /** The oldest first. */
  lines(): readonly FunctionLog[];
  /** Calls with every line from now on. The returned function ends that. */
  subscribe(listener: (line: FunctionLog) => void): () => void;
}

export function makeLogRing(): LogRing {
  const kept: FunctionLog[] = [];
  const listeners = new Set<(line: FunctionLog) => void>();
  let characters = 0;
  return {
    add(line) {
      kept.push(line);
      characters += line.text.length;
      while (kept.length > MOST_LINES || (characters > MOST_CHARACTERS && kept.length > 1)) {
        characters -= kept.shift()!.text.length;
      }
      for (const listener of listeners) listener(line);
    },
    lines: () => [...kept],
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
