import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lineDiff } from './line-diff.ts';

const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

test('equal texts have no difference', () => {
  assert.equal(lineDiff('a\nb\n', 'a\nb\n'), '');
  assert.equal(lineDiff('', ''), '');
});

test('a change is shown with three lines around it, and near ones together', () => {
  const before = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14'];
  const after = before.with(4, 'five').toSpliced(13, 1);
  assert.equal(
    lineDiff(text(before), text(after)),
    '@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -11,4 +11,3 @@\n 11\n 12\n 13\n-14\n',
  );
  assert.equal(lineDiff('', 'a\n'), '@@ -0,0 +1 @@\n+a\n');
  assert.equal(lineDiff('a\nb\n', ''), '@@ -1,2 +0,0 @@\n-a\n-b\n');
});

test('applied to the first text, the difference gives the second', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = numbers(seed);
    const lines = () => Array.from({ length: random(14) }, () => 'abcd'[random(4)]!);
    const [before, after] = [lines(), lines()];
    assert.deepEqual(patched(before, lineDiff(text(before), text(after))), after, `seed ${seed}`);
  }
});

test('texts that have too little in common are shown as a whole, at once', () => {
  const many = (word: string) => Array.from({ length: 5_000 }, (_, index) => `${word}${index}`);
  const [before, after] = [many('a'), many('b')];
  assert.deepEqual(patched(before, lineDiff(text(before), text(after))), after);
});

function patched(before: readonly string[], diff: string): string[] {
  const after: string[] = [];
  let at = 0;
  for (const line of diff.split('\n').slice(0, -1)) {
    const [, from, count] = /^@@ -(\d+)(?:,(\d+))? /.exec(line) ?? [];
    if (from !== undefined) {
      const start = count === '0' ? Number(from) : Number(from) - 1;
      after.push(...before.slice(at, start));
      at = start;
    } else if (line.startsWith('+')) after.push(line.slice(1));
    else {
      assert.equal(before[at], line.slice(1));
      at += 1;
      if (line.startsWith(' ')) after.push(line.slice(1));
    }
  }
  return [...after, ...before.slice(at)];
}

/** Whole numbers below a bound, the same for the same seed (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
