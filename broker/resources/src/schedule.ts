/**
 * When something happens again and again: for each field of a cron expression its numbers, or `*` where it does not
 * restrict. Where both the days of the month and those of the week restrict, either will do.
 */
export interface Schedule {
  /** In order: seconds, minutes, hours, days of the month, months, days of the week (0 is Sunday). */
  readonly fields: readonly (readonly number[] | '*')[];
  /** An IANA name. Undefined: the time zone is that of the process. */
  readonly timezone: string | undefined;
}

/** Why a schedule cannot be read, in the words that Knative's users know, and which of the two fields is to blame. */
export interface ScheduleFault {
  readonly field: 'schedule' | 'timezone';
  readonly text: string;
}

interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly names: readonly string[];
}

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const DAYS = 'sun mon tue wed thu fri sat'.split(' ');

const BOUNDS: readonly Bounds[] = [
  { least: 0, most: 59, names: [] },
  { least: 0, most: 59, names: [] },
  { least: 0, most: 23, names: [] },
  { least: 1, most: 31, names: [] },
  { least: 1, most: 12, names: MONTHS },
  { least: 0, most: 6, names: DAYS },
];

const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 0 1 1 *',
  '@annually': '0 0 0 1 1 *',
  '@monthly': '0 0 0 1 * *',
  '@weekly': '0 0 0 * * 0',
  '@daily': '0 0 0 * * *',
  '@midnight': '0 0 0 * * *',
  '@hourly': '0 0 * * * *',
};

/**
 * Reads a schedule as Knative's PingSource takes it (robfig/cron v3): five fields, or six with the seconds first, or a
 * descriptor such as `@hourly`; `@every` is none. The time zone may also stand before the fields, as `CRON_TZ=<name>`.
 */
export function readSchedule(schedule: string, timezone?: string): Schedule | ScheduleFault {
  if (schedule.includes('@every')) return { field: 'schedule', text: 'unsupported descriptor @every' };
  let zone = timezone === '' ? undefined : timezone;
  if (schedule === '') return { field: 'schedule', text: 'empty spec string' };
  let rest = schedule.trim();
  const prefix = zone === undefined ? /^(?:CRON_TZ|TZ)=(\S*)\s*/.exec(rest) : null;
  if (prefix !== null) {
    [, zone] = prefix;
    rest = rest.slice(prefix[0].length);
  }
  if (zone !== undefined && !isTimezone(zone))
    return { field: 'timezone', text: `provided bad location ${zone}: unknown time zone ${zone}` };
  if (rest.startsWith('@')) {
    const meant = DESCRIPTORS[rest];
    if (meant === undefined) return { field: 'schedule', text: `unrecognized descriptor: ${rest}` };
    rest = meant;
  }
  const texts = rest.split(/\s+/).filter((it) => it !== '');
  if (texts.length < 5 || texts.length > 6) {
    const text = `expected 5 to 6 fields, found ${texts.length}: [${texts.join(' ')}]`;
    return { field: 'schedule', text };
  }
  if (texts.length === 5) texts.unshift('0');
  const fields: (readonly number[] | '*')[] = [];
  for (const [index, text] of texts.entries()) {
    const read = readField(text, BOUNDS[index]!);
    if (typeof read === 'string' && read !== '*') return { field: 'schedule', text: read };
    fields.push(read);
  }
  return { fields, timezone: zone };
}

/** Whether a schedule could not be read. */
export function isScheduleFault(read: Schedule | ScheduleFault): read is ScheduleFault {
  return 'text' in read;
}

/** The numbers of one field, `*`, or what is wrong with it. */
function readField(field: string, bounds: Bounds): readonly number[] | string {
  const numbers = new Set<number>();
  let isOpen = false;
  // As in Go, nothing between two commas is nothing said.
  for (const part of field.split(',').filter((it) => it !== '')) {
    const read = readRange(part, bounds);
    if (typeof read === 'string') return read;
    isOpen ||= read.isOpen;
    for (const number of read.numbers) numbers.add(number);
  }
  if (numbers.size === 0) return `empty field: ${JSON.stringify(field)}`;
  return isOpen ? '*' : [...numbers].toSorted((one, other) => one - other);
}

/** `a`, `a-b`, `*` or `?`, each with a step behind `/` or none. */
function readRange(text: string, bounds: Bounds): { numbers: number[]; isOpen: boolean } | string {
  const [range = '', step, ...more] = text.split('/');
  const [low = '', high, ...rest] = range.split('-');
  const isAll = low === '*' || low === '?';
  const from = isAll ? bounds.least : numberOf(low, bounds.names, bounds.least);
  if (typeof from === 'string') return from;
  if (rest.length > 0 && !isAll) return `too many hyphens: ${text}`;
  const end = isAll || high === undefined ? from : numberOf(high, bounds.names, bounds.least);
  if (typeof end === 'string') return end;
  if (more.length > 0) return `too many slashes: ${text}`;
  const by = step === undefined ? 1 : numberOf(step, [], 0);
  if (typeof by === 'string') return by;
  // With a step, a single number is where it begins.
  const to = isAll || (high === undefined && step !== undefined) ? bounds.most : end;
  if (from < bounds.least) return `beginning of range (${from}) below minimum (${bounds.least}): ${text}`;
  if (to > bounds.most) return `end of range (${to}) above maximum (${bounds.most}): ${text}`;
  if (from > to) return `beginning of range (${from}) beyond end of range (${to}): ${text}`;
  if (by === 0) return `step of range should be a positive number: ${text}`;
  const numbers: number[] = [];
  for (let number = from; number <= to; number += by) numbers.push(number);
  return { numbers, isOpen: isAll && by === 1 };
}

function numberOf(text: string, names: readonly string[], first: number): number | string {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return named + first;
  if (/^[+]?\d{1,9}$/.test(text)) return Number(text);
  if (/^-\d{1,9}$/.test(text)) return `negative number (${text}) not allowed: ${text}`;
  return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
