import type { Clock } from '../../clock.ts';

/** What one stream of an instance may say in a second. */
const MAX_LINES = 10_000;
const MAX_CHARACTERS = 8 * 2 ** 20;
const SECOND_MS = 1_000;

/** Lets so much of a stream through in a second, and counts the rest. */
export interface FloodGate {
  /** Whether nothing more is let through in this second. */
  readonly isShut: boolean;
  /** Lets a line through, or counts it. */
  pass(line: string): void;
  /** Counts lines that nobody needs to look at. */
  drop(lines: number): void;
  /** The stream has ended: what was dropped is told. */
  end(): void;
}

/** Makes a gate; `take` gets what passes, and a line that says how many have not. */
export function makeFloodGate(clock: Pick<Clock, 'after'>, take: (line: string) => void): FloodGate {
  let lines = 0;
  let characters = 0;
  let dropped = 0;
  let cancel: (() => void) | undefined;

  function tell(): void {
    cancel = undefined;
    [lines, characters] = [0, 0];
    if (dropped === 0) return;
    const some = dropped === 1 ? '1 line' : `${dropped.toLocaleString('en-US')} lines`;
    dropped = 0;
    take(`… ${some} dropped: more than is kept of a second`);
  }
  const gate: FloodGate = {
    get isShut() {
      return lines >= MAX_LINES || characters >= MAX_CHARACTERS;
    },
    pass(line) {
      if (gate.isShut) return gate.drop(1);
      cancel ??= clock.after(SECOND_MS, tell);
      lines += 1;
      characters += line.length;
      take(line);
    },
    drop(count) {
      dropped += count;
    },
    end() {
      cancel?.();
      tell();
    },
  };
  return gate;
}
