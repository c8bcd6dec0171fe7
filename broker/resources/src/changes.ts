import type { Complaint } from './fault.ts';
import { KINDS } from './kinds.ts';
import type { AnyResource } from './any-resource.ts';
import { keyOf } from './resource.ts';

/**
 * What may not change between two versions of one resource, with Knative's texts (a broker's class and config, a
 * trigger's broker, a subscription's channel, a KafkaSource's consumer group, the data of what is declared immutable …).
 * Empty when all may.
 * Both are complete, as {@link Declared} holds them; two different resources are a programming error and throw.
 */
export function immutableFaults(before: AnyResource, after: AnyResource): Complaint[] {
  if (keyOf(before) !== keyOf(after))
    throw new TypeError(`expected two versions of ${keyOf(before)}, got ${keyOf(after)}`);
  return KINDS[before.kind].immutable?.(before, after) ?? [];
}
