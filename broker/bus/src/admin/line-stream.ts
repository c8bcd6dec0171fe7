import type { ServerResponse } from 'node:http';

/** The reader was too slow for so many lines. */
export interface Skipped {
  readonly kind: 'skipped';
  readonly count: number;
}

/** A reader that leaves so much unread misses lines: it must not hold up the bus, nor fill its memory. */
const MOST_UNREAD = 1024 * 1024;

/** Answers with JSON objects, a line each, until the reader goes: `first` (lines already), then what is written. */
export function openLines(response: ServerResponse, first = ''): { write: (line: object) => void } {
  let skipped = 0;
  const tellSkipped = () => {
    if (skipped > 0) response.write(`${JSON.stringify({ kind: 'skipped', count: skipped } satisfies Skipped)}\n`);
    skipped = 0;
  };
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
  if (first !== '') response.write(first);
  response.on('drain', tellSkipped);
  return {
    write(line) {
      if (response.writableLength > MOST_UNREAD) {
        skipped += 1;
        return;
      }
      tellSkipped();
      response.write(`${JSON.stringify(line)}\n`);
    },
  };
}
