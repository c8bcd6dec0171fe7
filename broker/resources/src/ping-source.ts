import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDestination } from './destination.ts';
import { complaint, show } from './fault.ts';
import type { KindDefinition } from './kind.ts';
import { join } from './path.ts';
import type { Path } from './path.ts';
import { resourceSchema } from './resource-schema.ts';
import type { Resource } from './resource.ts';
import { isScheduleFault, readSchedule } from './schedule.ts';
import { Fields } from './schema.ts';
import type { Rule, Tell } from './schema.ts';
import { SOURCE } from './source-fields.ts';

const EVERY_MINUTE = '* * * * *';
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const scheduleRule = (spec: Record<string, unknown>, path: Path, tell: Tell): void => {
  const { schedule = EVERY_MINUTE, timezone } = spec;
  if (typeof schedule !== 'string' || (timezone !== undefined && typeof timezone !== 'string')) return;
  const read = readSchedule(schedule, timezone);
  if (!isScheduleFault(read)) return;
  const at = join(path, read.field);
  const expected =
    read.field === 'timezone'
      ? 'the name of a time zone, such as "Europe/Berlin"'
      : 'five fields of cron (or six, seconds first), or @hourly, @daily, @weekly, @monthly, @yearly';
  tell.fault(complaint(at, expected, show(at, spec[read.field]), { text: `invalid value: ${read.text}` }));
};

const dataRule = (spec: Record<string, unknown>, path: Path, tell: Tell): void => {
  const { data, dataBase64, contentType } = spec;
  const said = (value: unknown): value is string => typeof value === 'string' && value !== '';
  if (said(data) && said(dataBase64)) {
    const text = `expected exactly one, got both: ${join(path, 'data')}, ${join(path, 'dataBase64')}`;
    return tell.fault(complaint(join(path, 'dataBase64'), 'data or dataBase64', 'both', { text }));
  }
  const field = said(dataBase64) ? 'dataBase64' : 'data';
  const at = join(path, field);
  // Go's decoder passes over line breaks.
  if (said(dataBase64) && !BASE64.test(dataBase64.replaceAll(/[\r\n]/g, ''))) {
    const text = 'invalid value: illegal base64 data';
    return tell.fault(complaint(at, 'base64 with its padding', show(at, dataBase64), { text }));
  }
  const bytes = said(dataBase64) ? Buffer.from(dataBase64, 'base64').toString() : data;
  if (contentType !== 'application/json' || !said(bytes) || isJsonObject(bytes)) return;
  const text = 'invalid value: the data is no JSON object';
  tell.fault(complaint(at, 'a JSON object, as contentType is "application/json"', show(at, spec[field]), { text }));
};

/** Knative reads into a map: `null` is one for Go, a list or a text is not. */
function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value);
  } catch {
    return false;
  }
}

const specRule: Rule<Record<string, unknown>> = (spec, path, tell) => {
  scheduleRule(spec, path, tell);
  dataRule(spec, path, tell);
};

const SpecSchema = Fields(
  {
    /** Five fields of cron, or six with the seconds first, or a descriptor such as `@hourly`. */
    schedule: Type.String({ default: EVERY_MINUTE, expected: 'a schedule, such as "*/5 * * * *"' }),
    /** An IANA name; that of the process when absent. */
    timezone: Type.Optional(Type.String({ expected: 'the name of a time zone' })),
    contentType: Type.Optional(Type.String({ expected: 'a media type' })),
    data: Type.Optional(Type.String({ expected: 'a text' })),
    dataBase64: Type.Optional(Type.String({ expected: 'base64' })),
    ...SOURCE,
  },
  { rule: specRule, expected: 'an object with schedule and sink' },
);

/** What a {@link PingSource} says. */
export type PingSourceSpec = Static<typeof SpecSchema>;

/** The same event again and again, by the clock (sources.knative.dev/v1 and v1beta2, which mean the same). */
export type PingSource = Resource<'PingSource', PingSourceSpec>;

/** The kind PingSource. */
export const pingSourceKind: KindDefinition<PingSource> = {
  kind: 'PingSource',
  apiVersions: ['sources.knative.dev/v1', 'sources.knative.dev/v1beta2'],
  schema: resourceSchema('PingSource', SpecSchema),
  complete({ metadata, spec }) {
    completeDestination(spec.sink, metadata.namespace);
  },
};
