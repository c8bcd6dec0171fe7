import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { maskOf, readLines } from './log-lines.ts';

async function linesOf(chunks: readonly string[], secrets: readonly string[] = []): Promise<string[]> {
  const lines: string[] = [];
  const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  readLines(stream, maskOf(secrets), (line) => lines.push(line));
  await finished(stream);
  return lines;
}

describe('the lines of a function', () => {
  test('are whole however the output is cut', async () => {
    const text = 'one\r\n\ntwo é\nlast without an end';
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(text.length)), async (cuts) => {
        const ends = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const chunks = ends.slice(1).map((end, index) => text.slice(ends[index], end));
        assert.deepEqual(await linesOf(chunks), ['one', '', 'two é', 'last without an end']);
      }),
      { numRuns: 50 },
    );
  });

  test('have every secret masked, the longer of two first', async () => {
    const lines = await linesOf(['a=key b=key-long c=$^.*\n'], ['key', 'key-long', '', '$^.*']);
    assert.deepEqual(lines, ['a=*** b=*** c=***']);
  });

  test('have a secret of several lines masked on each', async () => {
    const secret = '-----BEGIN-----\nabcdefgh12345678\n-----END-----';
    assert.deepEqual(await linesOf([`${secret}\n`], [secret]), ['***', '***', '***']);
  });

  test('come in pieces when there is no end of a line, and no cut shows a secret', async () => {
    const secret = 's'.repeat(40);
    await fc.assert(
      fc.asyncProperty(fc.nat(64), fc.integer({ min: 1, max: 5_000 }), async (offset, size) => {
        const text = `${'x'.repeat(16_384 - 32 + offset)}${secret}${'y'.repeat(20_000)}`;
        const chunks = text.match(new RegExp(`.{1,${size}}`, 'g'))!;
        const lines = await linesOf(chunks, [secret]);
        assert.ok(lines.every((line) => line.length <= 16 * 1024));
        const all = lines.join('');
        assert.equal(all, text.replace(secret, '***'));
      }),
      { numRuns: 50 },
    );
  });
});
