import { parseGoDuration } from './duration.ts';
import { complaint, show } from './fault.ts';
import { nearest } from './nearest.ts';
import { join } from './path.ts';
import type { Path } from './path.ts';
import type { Rule, Tell } from './schema.ts';

const PREFIX = 'autoscaling.knative.dev/';
const HOUR = 3_600_000;

/** How many instances of a function there are (Knative's pod autoscaler; the defaults are its). Times in milliseconds. */
export interface Scaling {
  class: 'kpa.autoscaling.knative.dev' | 'hpa.autoscaling.knative.dev';
  metric: 'concurrency' | 'rps' | 'cpu' | 'memory';
  /** Of the metric, for each instance; when absent the limit of concurrency, or the default of the metric. */
  target?: number;
  targetUtilizationPercentage: number;
  /** Spare requests that instances must have before they are called without the activator; -1: never without it. */
  targetBurstCapacity: number;
  minScale: number;
  /** 0: as many as it takes. */
  maxScale: number;
  /** How many a new revision begins with. Knative begins one; here a revision proves itself when it is called. */
  initialScale: number;
  /** How many there are at least, when there are any. */
  activationScale: number;
  scaleDownDelayMs: number;
  windowMs: number;
  panicWindowPercentage: number;
  panicThresholdPercentage: number;
  scaleToZeroPodRetentionMs: number;
  metricAggregationAlgorithm: 'linear' | 'weighted-exponential';
}

const DEFAULTS: Scaling = {
  class: 'kpa.autoscaling.knative.dev',
  metric: 'concurrency',
  targetUtilizationPercentage: 70,
  targetBurstCapacity: 211,
  minScale: 0,
  maxScale: 0,
  initialScale: 0,
  activationScale: 1,
  scaleDownDelayMs: 0,
  windowMs: 60_000,
  panicWindowPercentage: 10,
  panicThresholdPercentage: 200,
  scaleToZeroPodRetentionMs: 0,
  metricAggregationAlgorithm: 'linear',
};

/** What an annotation's text means, or undefined when it means nothing; and what it should be. */
interface Reader {
  readonly field: keyof Scaling;
  readonly expected: string;
  read(text: string): number | string | undefined;
}

const MAX_INT32 = 2_147_483_647;

function integer(field: keyof Scaling, least: number): Reader {
  return {
    field,
    expected: `an integer >= ${least}, as text`,
    read: (text) => (/^-?\d+$/.test(text) ? within(Number(text), least, MAX_INT32) : undefined),
  };
}

function number(field: keyof Scaling, least: number, most: number): Reader {
  return {
    field,
    expected: most === Infinity ? `a number >= ${least}, as text` : `a number from ${least} to ${most}, as text`,
    read: (text) => (/^\d+(\.\d+)?$/.test(text) ? within(Number(text), least, most) : undefined),
  };
}

function duration(field: keyof Scaling, leastMs: number, range: string): Reader {
  return {
    field,
    expected: `a duration from ${range}, such as "30s" or "1m30s"`,
    read(text) {
      const ms = parseGoDuration(text);
      return ms === undefined ? undefined : within(ms, leastMs, HOUR);
    },
  };
}

function choice(field: keyof Scaling, values: readonly string[]): Reader {
  return {
    field,
    expected: `one of ${values.join(', ')}`,
    read: (text) => (values.includes(text) ? text : undefined),
  };
}

function within(value: number, least: number, most: number): number | undefined {
  return value >= least && value <= most ? value : undefined;
}

const READERS: Record<string, Reader> = {
  class: choice('class', ['kpa.autoscaling.knative.dev', 'hpa.autoscaling.knative.dev']),
  metric: choice('metric', ['concurrency', 'rps', 'cpu', 'memory']),
  target: number('target', 0.01, Infinity),
  'target-utilization-percentage': number('targetUtilizationPercentage', 1, 100),
  'target-burst-capacity': {
    field: 'targetBurstCapacity',
    expected: '-1, 0 or a number above, as text',
    read: (text) => (text === '-1' || /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined),
  },
  'min-scale': integer('minScale', 0),
  'max-scale': integer('maxScale', 0),
  'initial-scale': integer('initialScale', 0),
  'activation-scale': integer('activationScale', 2),
  'scale-down-delay': duration('scaleDownDelayMs', 0, '0s to 1h'),
  window: duration('windowMs', 6000, '6s to 1h'),
  'panic-window-percentage': number('panicWindowPercentage', 1, 100),
  'panic-threshold-percentage': number('panicThresholdPercentage', 110, 1000),
  'scale-to-zero-pod-retention-period': duration('scaleToZeroPodRetentionMs', 0, '0s to 1h'),
  'metric-aggregation-algorithm': choice('metricAggregationAlgorithm', ['linear', 'weighted-exponential']),
};

const kebab = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The scaling that annotations ask for, over the defaults. Reads what has passed {@link scalingRule}. */
export function scalingOf(annotations: Readonly<Record<string, string>> | undefined): Scaling {
  const scaling: Record<string, unknown> = { ...DEFAULTS };
  for (const { reader, text } of readable(annotations ?? {})) {
    const value = reader?.read(text);
    if (reader !== undefined && value !== undefined) scaling[reader.field] = value;
  }
  return scaling as unknown as Scaling;
}

/** Ranges, spelling and agreement of the scaling annotations of a revision. */
export const scalingRule: Rule<Record<string, unknown>> = (annotations, path, tell) => {
  const said: Partial<Record<keyof Scaling, { value: unknown; at: Path }>> = {};
  for (const { key, name, reader, text } of readable(annotations)) {
    const at = join(path, key);
    if (reader === undefined) {
      const suggestion = nearest(kebab(name), Object.keys(READERS));
      tell.fault(
        complaint(at, 'a scaling annotation', `the unknown ${JSON.stringify(key)}`, {
          text: `unknown annotation ${JSON.stringify(key)}`,
          suggestion: suggestion === undefined ? undefined : `${PREFIX}${suggestion}`,
        }),
      );
      continue;
    }
    if (kebab(name) !== name) tell.receipt(at, `${key} is an older spelling, read as ${PREFIX}${kebab(name)}`);
    const value = reader.read(text);
    if (value === undefined)
      tell.fault(complaint(at, reader.expected, show(at, text), { text: `invalid value: ${show(at, text)}` }));
    else if (said[reader.field] !== undefined && said[reader.field]?.value !== value)
      tell.fault(complaint(at, 'the same as under its other spelling', show(at, text)));
    else said[reader.field] = { value, at };
  }
  agree(said, tell);
};

function agree(said: Partial<Record<keyof Scaling, { value: unknown; at: Path }>>, tell: Tell): void {
  const most = said.maxScale?.value;
  if (typeof most !== 'number' || most === 0) return;
  for (const field of ['minScale', 'activationScale'] as const) {
    const least = said[field];
    if (typeof least?.value === 'number' && least.value > most) {
      const text = `max-scale=${most} is less than ${kebab(field)}=${least.value}`;
      tell.fault(complaint(least.at, `at most max-scale, ${most}`, String(least.value), { text }));
    }
  }
}

function* readable(annotations: Record<string, unknown>) {
  for (const [key, text] of Object.entries(annotations)) {
    if (!key.startsWith(PREFIX) || typeof text !== 'string') continue;
    const name = key.slice(PREFIX.length);
    yield { key, name, text, reader: Object.hasOwn(READERS, kebab(name)) ? READERS[kebab(name)] : undefined };
  }
}

/** Scaling annotations that stand where Knative would not see them: on the service in place of its template. */
export const misplacedScalingRule: Rule<Record<string, unknown>> = (annotations, path, tell) => {
  for (const key of Object.keys(annotations)) {
    if (!key.startsWith(PREFIX)) continue;
    tell.fault(
      complaint(join(path, key), 'it under spec.template.metadata.annotations', 'it on the service itself', {
        text: 'autoscaling annotations must be put under "spec.template.metadata.annotations" to work',
        suggestion: join('spec.template.metadata.annotations', key),
      }),
    );
  }
};
