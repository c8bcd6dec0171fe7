import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isScheduleFault, readSchedule } from './schedule.ts';
import type { Schedule } from './schedule.ts';

/** The fields as a text: seconds to days of the week. */
function fieldsOf(schedule: string): string {
  const read = readSchedule(schedule);
  assert.ok(!isScheduleFault(read), JSON.stringify(read));
  return read.fields.map((it) => (it === '*' ? it : it.join(','))).join(' ');
}

describe('a schedule is', () => {
  for (const [schedule, fields] of [
    ['* * * * *', '0 * * * * *'],
    ['*/20 1-3 ? jan,DEC sun', '0 0,20,40 1,2,3 * 1,12 0'],
    ['10 * * * * *', '10 * * * * *'],
    ['  5   4  *  *  mon-fri ', '0 5 4 * * 1,2,3,4,5'],
    ['50/4 * * * *', '0 50,54,58 * * * *'],
    ['0 0 1-9/4 * *', '0 0 0 1,5,9 * *'],
    // A star with a step of one restricts nothing, and neither does one beside a number.
    ['0 0 */1 * *,3', '0 0 0 * * *'],
    ['0 0 */2 * 1', '0 0 0 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31 * 1'],
    ['@yearly', '0 0 0 1 1 *'],
    ['@annually', '0 0 0 1 1 *'],
    ['@monthly', '0 0 0 1 * *'],
    ['@weekly', '0 0 0 * * 0'],
    ['@daily', '0 0 0 * * *'],
    ['@midnight', '0 0 0 * * *'],
    ['@hourly', '0 0 * * * *'],
  ] as const) {
    test(schedule, () => assert.equal(fieldsOf(schedule), fields));
  }

  test('in a time zone, named beside it or before it', () => {
    assert.equal((readSchedule('@daily', 'Europe/Berlin') as Schedule).timezone, 'Europe/Berlin');
    assert.equal((readSchedule('CRON_TZ=Asia/Tokyo @daily') as Schedule).timezone, 'Asia/Tokyo');
    assert.equal((readSchedule('TZ=UTC 0 0 * * *') as Schedule).timezone, 'UTC');
    assert.equal((readSchedule('@daily', '') as Schedule).timezone, undefined);
  });
});

describe('no schedule is', () => {
  for (const [schedule, text] of [
    ['', 'empty spec string'],
    ['   ', 'expected 5 to 6 fields, found 0: []'],
    ['-1-2 * * * *', 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax'],
    ['*/-1 * * * *', 'negative number (-1) not allowed: -1'],
    ['@every 1h', 'unsupported descriptor @every'],
    ['@reboot', 'unrecognized descriptor: @reboot'],
    ['* * * *', 'expected 5 to 6 fields, found 4: [* * * *]'],
    ['* * * * * * *', 'expected 5 to 6 fields, found 7: [* * * * * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['60 * * * * *', 'end of range (60) above maximum (59): 60'],
    ['* 24 * * *', 'end of range (24) above maximum (23): 24'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['* * * 13 *', 'end of range (13) above maximum (12): 13'],
    ['* * * * 7', 'end of range (7) above maximum (6): 7'],
    ['5-3 * * * *', 'beginning of range (5) beyond end of range (3): 5-3'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
    ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    ['* * L * *', 'failed to parse int from L: strconv.Atoi: parsing "L": invalid syntax'],
    ['* * * * mon#2', 'failed to parse int from mon#2: strconv.Atoi: parsing "mon#2": invalid syntax'],
    [', * * * *', 'empty field: ","'],
  ] as const) {
    test(JSON.stringify(schedule), () => assert.deepEqual(readSchedule(schedule), { field: 'schedule', text }));
  }

  test('in a time zone that there is not', () => {
    const text = 'provided bad location Europe/Nowhere: unknown time zone Europe/Nowhere';
    assert.deepEqual(readSchedule('@daily', 'Europe/Nowhere'), { field: 'timezone', text });
    assert.deepEqual(readSchedule('CRON_TZ=Europe/Nowhere @daily'), { field: 'timezone', text });
  });
});
