import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { formatPeriod, parseGoDuration, parsePeriod } from './duration.ts';

describe('an ISO-8601 period', () => {
  for (const [text, ms] of [
    ['PT0.2S', 200],
    ['PT600S', 600_000],
    ['PT1M', 60_000],
    ['P1M', 2_629_746_000],
    ['P1Y', 31_556_952_000],
    ['P2W', 1_209_600_000],
    ['P1DT12H', 129_600_000],
    ['P1Y2M3DT4H5M6.7S', 31_556_952_000 + 2 * 2_629_746_000 + 3 * 86_400_000 + 4 * 3_600_000 + 5 * 60_000 + 6700],
    ['PT0S', 0],
    ['P0D', 0],
    ['PT1,5S', 1500],
    ['-PT1S', -1000],
    ['+PT1S', 1000],
    ['PT0.0001S', 0],
  ] as const) {
    test(`${text} is ${ms} ms`, () => assert.equal(parsePeriod(text), ms));
  }

  for (const text of [
    '',
    'P',
    'PT',
    'P1',
    '1S',
    'PT1',
    'P1S',
    'PT1D',
    'P1DT',
    'pt1s',
    'PT1S ',
    'PT.5S',
    'PT5M1H',
    '5s',
    'PT-1S',
  ]) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parsePeriod(text), undefined));
  }

  test('longer than a safe integer of milliseconds is none', () => {
    assert.equal(parsePeriod(`P${'9'.repeat(30)}Y`), undefined);
    assert.equal(parsePeriod(`P${'0'.repeat(1_000_000)}Y`), undefined);
  });

  test('written from milliseconds means the same milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e13, max: 1e13 }), (ms) => assert.equal(parsePeriod(formatPeriod(ms)), ms)),
    );
  });

  test('is the sum of its parts', () => {
    const part = fc.nat({ max: 999 });
    fc.assert(
      fc.property(part, part, part, part, part, (weeks, days, hours, minutes, seconds) => {
        const expected = ((weeks * 7 + days) * 24 + hours) * 3_600_000 + minutes * 60_000 + seconds * 1000;
        assert.equal(parsePeriod(`P${weeks}W${days}DT${hours}H${minutes}M${seconds}S`), expected);
      }),
    );
  });

  test('is a whole number of milliseconds or nothing, whatever the text', () => {
    const text = fc.stringMatching(/^[PT\d.YMWDHS+-]{0,20}$/);
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (text) => {
        const ms = parsePeriod(text);
        assert.ok(ms === undefined || Number.isSafeInteger(ms));
      }),
    );
  });
});

describe('a duration as Go writes it', () => {
  for (const [text, ms] of [
    ['30s', 30_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    ['0', 0],
    ['.5s', 500],
  ] as const) {
    test(`${text} is ${ms} ms`, () => assert.equal(parseGoDuration(text), ms));
  }

  for (const text of ['', '30', 's', '1m 30s', '-1s', '1d', '1s!']) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseGoDuration(text), undefined));
  }
});
