import type { Readable } from 'node:stream';

import { systemClock } from '../../clock.ts';
import type { Clock } from '../../clock.ts';
import { makeFloodGate } from './flood-gate.ts';

/** A line longer than this is passed on in pieces, so that output without line breaks does not pile up. */
const MAX_LINE_CHARACTERS = 16 * 1024;
/** A secret of several lines is masked line by line; lines shorter than this are too common to be masked. */
const MIN_SECRET_LINE_CHARACTERS = 8;

/** Makes the function that replaces each of these values by `***`, also where a value is written over several lines. */
export function maskOf(secrets: readonly string[]): Mask {
  const parts = secrets.flatMap((secret) => [
    secret,
    ...secret.split(/\r?\n/).filter((line) => line.length >= MIN_SECRET_LINE_CHARACTERS),
  ]);
  const wanted = [...new Set(parts)].filter((part) => part !== '').toSorted((a, b) => b.length - a.length);
  if (wanted.length === 0) return Object.assign((text: string) => text, { longest: 0 });
  const pattern = new RegExp(wanted.map(escapePattern).join('|'), 'g');
  return Object.assign((text: string) => text.replace(pattern, '***'), { longest: wanted[0]!.length });
}

/** Masks a text; `longest` is the length of the longest value that it knows, in characters. */
export interface Mask {
  (text: string): string;
  readonly longest: number;
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

/**
 * Reads a stream as text and hands on its lines, masked, until it ends. Holds one line at most. What floods it is
 * counted and dropped, so that neither our memory nor anybody else's work depends on how much a function prints.
 */
export function readLines(
  stream: Readable,
  mask: Mask,
  take: (line: string) => void,
  clock: Pick<Clock, 'after'> = systemClock,
): void {
  const gate = makeFloodGate(clock, take);
  let rest = '';
  const takeLine = (line: string): void => {
    if (gate.isShut) return gate.drop(1);
    const masked = mask(line.endsWith('\r') ? line.slice(0, -1) : line);
    for (let at = 0; at === 0 || at < masked.length; at += MAX_LINE_CHARACTERS) {
      gate.pass(masked.slice(at, at + MAX_LINE_CHARACTERS));
    }
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const text = rest + chunk;
    const lastBreak = text.lastIndexOf('\n');
    rest = text.slice(lastBreak + 1);
    if (gate.isShut) gate.drop(breaksIn(text));
    else if (lastBreak >= 0) text.slice(0, lastBreak).split('\n').forEach(takeLine);
    if (rest.length > MAX_LINE_CHARACTERS + mask.longest) {
      // What may be the beginning of a secret waits for its end.
      const masked = mask(rest);
      const certain = Math.max(0, masked.length - mask.longest);
      if (certain > 0) takeLine(masked.slice(0, certain));
      rest = masked.slice(certain);
    }
  });
  stream.on('end', () => {
    if (rest !== '') takeLine(rest);
  });
  stream.on('close', () => gate.end());
  // A stream that breaks has ended; why, the exit of the process tells.
  stream.on('error', () => {});
}

function breaksIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
