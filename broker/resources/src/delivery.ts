import { Type } from 'typebox';
import type { Static } from 'typebox';
import { completeDestination, DestinationSchema } from './destination.ts';
import type { Destination } from './destination.ts';
import { parsePeriod, periodRule } from './duration.ts';
import { complaint, show } from './fault.ts';
import { join } from './path.ts';
import type { Path } from './path.ts';
import { Fields } from './schema.ts';
import type { Tell } from './schema.ts';

const Period = (least: 'zero' | 'more than zero') =>
  Type.Optional(Type.String({ rule: periodRule(least), expected: 'an ISO-8601 period such as "PT0.2S"' }));

const MAX_INT32 = 2_147_483_647;

const WITHOUT_FORMAT = {
  deadLetterSink: Type.Optional(DestinationSchema),
  /** How often after the first attempt. */
  retry: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_INT32, expected: 'an integer >= 0' })),
  /** How long one attempt may take. */
  timeout: Period('more than zero'),
  backoffPolicy: Type.Optional(Type.Enum(['linear', 'exponential'])),
  /** The unit of the wait before a retry. */
  backoffDelay: Period('zero'),
  /** No wait is longer. */
  backoffMax: Period('more than zero'),
  /** No `Retry-After` is honoured beyond this; zero ignores them. */
  retryAfterMax: Period('zero'),
};

// Fields that Knative takes only where a feature of that name is enabled, which it is not as shipped.
const EXPERIMENTAL = { retryAfterMax: 'delivery-retryafter', backoffMax: 'delivery-backoff-max' };

function experimentalRule(delivery: Record<string, unknown>, path: Path, tell: Tell): void {
  for (const [field, feature] of Object.entries(EXPERIMENTAL)) {
    if (delivery[field] === undefined) continue;
    const at = join(path, field);
    const expected = `nothing, unless the feature ${feature} is enabled`;
    tell.refusal(complaint(at, expected, show(at, delivery[field]), { text: `must not set the field(s): ${at}` }));
  }
}

/** How events are delivered (duck type DeliverySpec). Nothing has a default here: the kinds that use it say theirs. */
export const DeliverySchema = Fields(
  { ...WITHOUT_FORMAT, format: Type.Optional(Type.Enum(['json', 'binary'])) },
  { rule: experimentalRule, expected: 'an object that says how to deliver' },
);

/** The same without `format`, as KafkaSource has it. */
export const SourceDeliverySchema = Fields(WITHOUT_FORMAT, {
  rule: experimentalRule,
  expected: 'an object that says how to deliver',
});

/** What a {@link DeliverySchema} holds; nothing in it has a default. */
export type DeliverySpec = Static<typeof DeliverySchema>;

/** A delivery in numbers; what was not said is absent, and up to who delivers. */
export interface DeliveryNumbers {
  /** Attempts after the first one; 0 when not said. */
  retry: number;
  timeoutMs?: number;
  backoffPolicy?: 'linear' | 'exponential';
  backoffDelayMs?: number;
  backoffMaxMs?: number;
  retryAfterMaxMs?: number;
  /** Binary mode of the HTTP binding unless `json` (structured mode) is asked for. */
  format: 'binary' | 'json';
  deadLetterSink?: Destination;
}

/** The delivery in numbers (milliseconds). The spec must have passed validation. */
export function deliveryNumbers(spec: DeliverySpec | undefined): DeliveryNumbers {
  const numbers: DeliveryNumbers = { retry: spec?.retry ?? 0, format: spec?.format ?? 'binary' };
  if (spec === undefined) return numbers;
  if (spec.deadLetterSink !== undefined) numbers.deadLetterSink = spec.deadLetterSink;
  if (spec.backoffPolicy !== undefined) numbers.backoffPolicy = spec.backoffPolicy;
  for (const field of ['timeout', 'backoffDelay', 'backoffMax', 'retryAfterMax'] as const) {
    const ms = spec[field] === undefined ? undefined : parsePeriod(spec[field]);
    if (ms !== undefined) numbers[`${field}Ms`] = ms;
  }
  return numbers;
}

/** Sets the namespace of the dead-letter sink's reference, in place. */
export function completeDelivery(delivery: DeliverySpec | undefined, namespace: string): void {
  completeDestination(delivery?.deadLetterSink, namespace);
}
