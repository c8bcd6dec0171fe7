import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Attributes, HrTime, SpanContext } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

import type { Attempted } from '../log/facts.ts';
import type { Entry } from '../log/log.ts';
import { nextSpan } from '../log/trace-context.ts';
import { destinationName } from './destination.ts';
import { redactText } from './redact.ts';

/** Makes spans of facts. Each is undefined where nothing is to be traced. */
export interface SpanMaker {
  /** The span of an entry that begins here: it came from outside, or its trace was begun for it. */
  accepted(entry: Entry, duration: number): ReadableSpan | undefined;
  /** The span of an attempt, under the id that it was sent with. */
  attempted(fact: Attempted): ReadableSpan | undefined;
}

/** Names and attributes as in knative.md §7.4; how the ids fit together is drawn in traces.ts. */
export function openSpanMaker(resource: Resource, random: () => number): SpanMaker {
  const make = (span: Made): ReadableSpan => ({
    name: span.name,
    kind: span.kind,
    spanContext: () => span.context,
    ...(span.parent === undefined ? {} : { parentSpanContext: span.parent }),
    startTime: hrTime(span.startedAt),
    endTime: hrTime(span.startedAt + span.duration),
    duration: hrTime(span.duration),
    status:
      span.error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: span.error },
    attributes: span.attributes,
    resource,
    instrumentationScope: { name: 'millrace' },
    links: [],
    events: [],
    ended: true,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  });

  return {
    accepted(entry, duration) {
      const travelled = contextOf(entry.headers?.['traceparent']);
      if (travelled === undefined) return undefined;
      const isBegunHere = travelled.spanId === travelled.traceId.slice(16);
      if (entry.cause !== undefined && !isBegunHere) return undefined;
      const context = isBegunHere ? travelled : contextOf(nextSpan(entry.headers, random)?.['traceparent']);
      if (context === undefined) return undefined;
      const name = destinationName(entry.topic);
      return make({
        name,
        kind: SpanKind.SERVER,
        context,
        parent: isBegunHere ? undefined : { ...travelled, isRemote: true },
        startedAt: entry.arrivedAt,
        duration,
        attributes: attributesOf(entry, name),
      });
    },

    attempted({ entry, settlement, traceparent }) {
      const context = contextOf(traceparent);
      if (context === undefined) return undefined;
      const { route, attempt, stage, outcome, startedAt, duration, status, failure } = settlement;
      const hasFailed = outcome === 'retrying' || outcome === 'parked';
      // At the dead letter sink the failure that is kept is the subscriber's.
      const reason = stage === 'subscriber' ? failure?.message : 'the dead letter sink did not take the event';
      const name = destinationName(route);
      const attributes = attributesOf(entry, name);
      Object.assign(attributes, { 'millrace.attempt': attempt, 'millrace.stage': stage, 'millrace.outcome': outcome });
      if (status !== undefined) attributes['http.response.status_code'] = status;
      if (hasFailed) attributes['error.type'] = status === undefined ? '_OTHER' : String(status);
      return make({
        name,
        kind: SpanKind.CLIENT,
        context,
        parent: contextOf(entry.headers?.['traceparent']),
        startedAt,
        duration,
        attributes,
        error: hasFailed ? redactText(reason ?? '') : undefined,
      });
    },
  };
}

interface Made {
  readonly name: string;
  readonly kind: SpanKind;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Milliseconds. */
  readonly duration: number;
  readonly attributes: Attributes;
  readonly error?: string | undefined;
}

const SAMPLED = 1;

/** The ids of a `traceparent` (W3C Trace Context §3.2.2); undefined when they are invalid, or nobody wants this trace. */
function contextOf(traceparent: string | undefined): SpanContext | undefined {
  const parts = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})$/.exec(traceparent ?? '');
  if (parts === null) return undefined;
  const [, traceId = '', spanId = '', flags = ''] = parts;
  const traceFlags = Number.parseInt(flags, 16);
  return (traceFlags & SAMPLED) === 0 ? undefined : { traceId, spanId, traceFlags };
}

/** What is known of the event, its data excepted. */
function attributesOf({ event, position }: Entry, destination: string): Attributes {
  const attributes: Attributes = {
    'messaging.system': 'knative',
    'messaging.operation.name': 'send',
    'messaging.destination.name': destination,
    'messaging.message_id': event.id,
    'cloudevents.specversion': event.specversion,
    'cloudevents.type': event.type,
    'cloudevents.source': event.source,
    'millrace.position': position,
  };
  if (event.subject !== undefined) attributes['cloudevents.subject'] = event.subject;
  if (event.datacontenttype !== undefined) attributes['cloudevents.datacontenttype'] = event.datacontenttype;
  return attributes;
}

/** Milliseconds as OpenTelemetry counts: seconds and nanoseconds. */
function hrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1_000);
  return [seconds, Math.round((milliseconds - seconds * 1_000) * 1e6)];
}
