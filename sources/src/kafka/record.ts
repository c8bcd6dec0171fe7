import { checkAttribute } from '@millrace/event/attributes';
import { EventFault, makeEvent, withExtensions } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { decodeKafka, MAX_KAFKA_HEADERS } from '@millrace/event/kafka';

import type { KafkaRecord } from './client.ts';
import { keyOf } from './key.ts';
import type { KeyType } from './key.ts';
import { attributeText } from './text.ts';

/** What the mapping must know of the source. */
export interface RecordMapping {
  readonly namespace: string;
  readonly name: string;
  readonly keyType: KeyType;
  /** Extensions that every event gets, over its own (`spec.ceOverrides.extensions`). */
  readonly extensions: Readonly<Record<string, string>>;
}

/** A record as an event, or what to keep of it and why it cannot be one. */
export type MappedRecord = { readonly event: CloudEvent } | { readonly parked: CloudEvent; readonly reason: string };

/**
 * The event of a record, as Knative's KafkaSource makes it: one that is an event already passes as it is, any other is
 * described by {@link plainEvent}; then the overrides are set. Never throws.
 */
export function mapRecord(record: KafkaRecord, mapping: RecordMapping): MappedRecord {
  let event: CloudEvent | undefined;
  try {
    event = decodeKafka(record);
  } catch (error) {
    if (!(error instanceof EventFault)) throw error;
    return { parked: plainEvent(record, mapping), reason: `the record means to be a CloudEvent: ${error.message}` };
  }
  if (event !== undefined) return { event: withExtensions(event, mapping.extensions) };
  const plain = plainEvent(record, mapping);
  if (record.value !== null) return { event: plain };
  return { parked: plain, reason: 'the record has no value (a tombstone), so that there is nothing to deliver' };
}

/**
 * A record that is no event, described by one (knative-extensions/eventing-kafka-broker, InvalidCloudEventInterceptor).
 * What is no text, of a key or a header, becomes base64, the text that CloudEvents gives binary values (§2, type system).
 */
export function plainEvent(record: KafkaRecord, mapping: RecordMapping): CloudEvent {
  const { topic, partition, offset } = record;
  const { contentType, extensions } = readHeaders(record);
  const key = record.key === null ? undefined : keyOf(record.key, mapping.keyType);
  const event = makeEvent(
    {
      specversion: '1.0',
      id: `partition:${partition}/offset:${offset}`,
      source: `/apis/v1/namespaces/${mapping.namespace}/kafkasources/${mapping.name}#${topic}`,
      type: 'dev.knative.kafka.event',
      subject: `partition:${partition}#${offset}`,
      time: timeOf(record.timestamp),
      datacontenttype: contentType,
      partitionkey: key,
      key,
      ...extensions,
    },
    record.value ?? undefined,
  );
  return withExtensions(event, mapping.extensions);
}

function readHeaders({ headers }: KafkaRecord): { contentType?: string; extensions: Record<string, string> } {
  const extensions: Record<string, string> = {};
  const names = Object.keys(headers);
  // So many are the reason why the record is parked; an event could not carry them.
  if (names.length > MAX_KAFKA_HEADERS) return { extensions };
  let contentType: string | undefined;
  for (const name of names) {
    const bytes = [headers[name]].flat().at(-1);
    if (bytes === undefined) continue;
    const text = attributeText(bytes);
    const lower = name.toLowerCase();
    if (lower === 'content-type' && isMediaType(text)) contentType = text.toLowerCase();
    else extensions[`kafkaheader${lower.replaceAll(/[^a-z\d]/g, '')}`] = text;
  }
  return contentType === undefined ? { extensions } : { contentType, extensions };
}

function isMediaType(text: string): boolean {
  try {
    checkAttribute('datacontenttype', text);
    return true;
  } catch {
    return false;
  }
}

const LAST_OF_YEAR_9999 = 253_402_300_799_999;

function timeOf(timestamp: number): string | undefined {
  return timestamp >= 0 && timestamp <= LAST_OF_YEAR_9999 ? new Date(timestamp).toISOString() : undefined;
}
