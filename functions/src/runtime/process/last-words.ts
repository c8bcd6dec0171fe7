const KEPT_LINES = 5;
const KEPT_LINE_CHARACTERS = 300;
const OUT_OF_MEMORY = /JavaScript heap out of memory|^MemoryError\b|std::bad_alloc/;

/** What is kept of an instance's stderr, for the reason of a crash. The lines are masked when they come. */
export interface LastWords {
  heard(line: string): void;
  /** `; last on stderr: … | …`, or nothing. */
  quoted(): string;
  /** Whether the language's own runtime has said that there was no memory. */
  saysOutOfMemory(): boolean;
}

/** Keeps the last few lines. */
export function makeLastWords(): LastWords {
  const lines: string[] = [];
  let outOfMemory = false;
  return {
    heard(line) {
      if (line.trim() === '') return;
      outOfMemory ||= OUT_OF_MEMORY.test(line);
      lines.push(line.slice(0, KEPT_LINE_CHARACTERS));
      if (lines.length > KEPT_LINES) lines.shift();
    },
    quoted: () => (lines.length === 0 ? '' : `; last on stderr: ${lines.join(' | ')}`),
    saysOutOfMemory: () => outOfMemory,
  };
}
