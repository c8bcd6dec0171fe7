import type { Outlet, RunningSource, SourceStatus, StartSource } from '@millrace/event/source';

import { createBackoff } from '../backoff.ts';
import type { Waiting } from '../backoff.ts';
import { KafkaFailure } from './client.ts';
import type { ConsumeKafka, KafkaCluster, KafkaConsumer } from './client.ts';
import type { RecordMapping } from './record.ts';
import { takeBatch } from './take.ts';

/** A KafkaSource with all that it refers to resolved. */
export interface KafkaSourceOptions extends RecordMapping {
  readonly bootstrapServers: readonly string[];
  readonly topics: readonly string[];
  /**
   * Default `knative-kafka-source-<namespace>-<name>`. Knative takes a random one, which its API server keeps; ours
   * must be the same after a restart, or the source would forget its place.
   */
  readonly consumerGroup?: string | undefined;
  /** Where a group that has never been here begins. Default `latest`. */
  readonly initialOffset?: 'earliest' | 'latest' | undefined;
  /**
   * How many partitions are worked on at the same time, default 1. It is one member of the group in any case:
   * in one process more of them would only cost connections.
   */
  readonly consumers?: number | undefined;
  readonly net?: Pick<KafkaCluster, 'tls' | 'sasl'> | undefined;
  /** How the source names itself to the brokers. Default `millrace`. */
  readonly clientId?: string | undefined;
  /** Other addresses for those of the cluster, see {@link KafkaCluster.aliases}. */
  readonly aliases?: KafkaCluster['aliases'];
}

/**
 * Brings the records of Kafka topics in as events. An offset is committed only after the event is durable: what is
 * in work when the process dies comes again, nothing is lost. Tombstones and records that mean to be events and are
 * malformed are parked, so that their partition moves on. What keeps it from reading is reported, and tried again
 * with waits of up to 30 seconds.
 */
export const kafkaSource: StartSource<KafkaSourceOptions> = kafkaSourceOver(async (...args) => {
  const { consumeWithKafkajs } = await import('./kafkajs.ts');
  return consumeWithKafkajs(...args);
});

/** The same over another Kafka client, or another way of waiting. */
export function kafkaSourceOver(consume: ConsumeKafka, waiting?: Waiting): StartSource<KafkaSourceOptions> {
  return (options, outlet, report) => startKafkaSource(options, outlet, onChange(report), consume, waiting);
}

function startKafkaSource(
  options: KafkaSourceOptions,
  outlet: Outlet,
  report: (status: SourceStatus) => void,
  consume: ConsumeKafka,
  waiting: Waiting | undefined,
): RunningSource {
  const draining = new AbortController();
  const reconnecting = createBackoff(30_000, waiting);
  const group = options.consumerGroup ?? `knative-kafka-source-${options.namespace}-${options.name}`;
  const { bootstrapServers, topics } = options;
  const connected = {
    ready: true,
    reason: 'Connected',
    message: `reads ${topics.join(', ')} of ${bootstrapServers.join(', ')} as ${group}`,
  };
  let consumer: KafkaConsumer | undefined;

  const join = () =>
    consume(
      { bootstrapServers, clientId: options.clientId ?? 'millrace', aliases: options.aliases, ...options.net },
      { group, topics, initialOffset: options.initialOffset ?? 'latest', concurrency: options.consumers ?? 1 },
      (batch) =>
        takeBatch(batch, {
          mapping: options,
          outlet,
          signal: draining.signal,
          waiting,
          refused: (error) => report({ ready: false, reason: 'EventsRefused', message: refusal(error) }),
          taken() {
            reconnecting.reset();
            report(connected);
          },
        }),
      draining.signal,
    );

  const finished = (async () => {
    while (!draining.signal.aborted) {
      try {
        consumer = await join();
        // The drain that came while it was joining has found nothing to close.
        if (draining.signal.aborted) return await consumer.close();
        report(connected);
        const failure = await consumer.ended;
        if (failure !== undefined) throw failure;
      } catch (error) {
        if (draining.signal.aborted) return;
        report(statusOf(error));
        await consumer?.close();
        await reconnecting.wait(draining.signal);
      }
    }
  })();

  return {
    async drain() {
      draining.abort();
      await consumer?.close();
      await finished;
    },
  };
}

function statusOf(error: unknown): SourceStatus {
  const { reason, message } =
    error instanceof KafkaFailure ? error : new KafkaFailure('ConsumerFailed', (error as Error).message);
  return { ready: false, reason, message };
}

function refusal(error: unknown): string {
  return `events are not taken now (${error instanceof Error ? error.message : String(error)}); they are offered again`;
}

/** Tells only what differs from what was told last. */
function onChange(report: (status: SourceStatus) => void): (status: SourceStatus) => void {
  let last = '';
  return (status) => {
    const told = JSON.stringify(status);
    if (told !== last) report(status);
    last = told;
  };
}
