import kafkajs from 'kafkajs';
import type { Consumer, EachBatchPayload, KafkaConfig, KafkaMessage } from 'kafkajs';

import type { ConsumeKafka, KafkaBatch, KafkaCluster, KafkaFailure, KafkaRecord, KafkaSasl } from './client.ts';
import { explain } from './kafkajs-failure.ts';
import { mendKafkajs } from './kafkajs-mend.ts';
import { prepareGroup } from './kafkajs-prepare.ts';
import { aliasedSockets } from './kafkajs-socket.ts';

/** The port to Kafka over kafkajs 2.2.4. Import it only when a source starts: it loads the library. */
export const consumeWithKafkajs: ConsumeKafka = async (cluster, subscription, take, signal) => {
  mendKafkajs();
  const sockets = aliasedSockets(cluster.aliases);
  if (signal.aborted) sockets.destroy();
  signal.addEventListener('abort', sockets.destroy);
  const kafka = new kafkajs.Kafka({ ...configOf(cluster), socketFactory: sockets.create });
  try {
    await prepareGroup(kafka, cluster, subscription);
    return await join(kafka.consumer(consumerConfig(subscription.group)));
  } catch (error) {
    throw explain(error, cluster, subscription);
  } finally {
    signal.removeEventListener('abort', sockets.destroy);
  }

  async function join(consumer: Consumer) {
    const ended = Promise.withResolvers<KafkaFailure | undefined>();
    const joined = Promise.withResolvers<void>();
    // A crash may come before anybody waits for it.
    joined.promise.catch(() => {});
    consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve());
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      joined.reject(payload.error);
      ended.resolve(explain(payload.error, cluster, subscription));
    });
    const close = async () => {
      await consumer.disconnect().catch(() => {});
      ended.resolve(undefined);
    };
    try {
      await consumer.connect();
      // prepareGroup has settled where each known partition begins: one without an offset has appeared since.
      await consumer.subscribe({ topics: [...subscription.topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: subscription.concurrency,
        eachBatch: (payload) => take(batchOf(payload)),
      });
      await joined.promise;
    } catch (error) {
      await close();
      throw error;
    }
    return { ended: ended.promise, close };
  }
};

function configOf({ bootstrapServers, clientId, tls, sasl }: KafkaCluster): KafkaConfig {
  return {
    brokers: [...bootstrapServers],
    clientId,
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    // Only what heals by itself in a moment; the source begins anew after that. Each try goes to the next server.
    retry: {
      retries: Math.max(3, bootstrapServers.length),
      initialRetryTime: 100,
      maxRetryTime: 1_000,
      restartOnFailure: async () => false,
    },
    logLevel: kafkajs.logLevel.NOTHING,
    ...(tls && { ssl: { ca: tls.ca, cert: tls.cert, key: tls.key } }),
    ...(sasl && { sasl: saslOf(sasl) }),
  };
}

function saslOf({ mechanism, user: username, password }: KafkaSasl): NonNullable<KafkaConfig['sasl']> {
  if (mechanism === 'PLAIN') return { mechanism: 'plain', username, password };
  if (mechanism === 'SCRAM-SHA-256') return { mechanism: 'scram-sha-256', username, password };
  return { mechanism: 'scram-sha-512', username, password };
}

function consumerConfig(groupId: string) {
  return {
    groupId,
    // As Knative's: a member that was killed holds its partitions so long.
    sessionTimeout: 10_000,
    // A topic that is not there is told, not made.
    allowAutoTopicCreation: false,
    // New partitions are seen within a minute.
    metadataMaxAge: 60_000,
    // An idle fetch lasts this long, and a drain waits for it.
    maxWaitTimeInMs: 1_000,
    maxBytesPerPartition: 1024 * 1024,
    maxBytes: 8 * 1024 * 1024,
  };
}

function batchOf({ batch, ...payload }: EachBatchPayload): KafkaBatch {
  const { topic, partition, messages } = batch;
  return {
    records: messages.map((message) => recordOf(topic, partition, message)),
    async commit({ offset }) {
      // Resolving first: of the batch's last record it also passes the control records that follow it unseen.
      payload.resolveOffset(offset);
      await payload.commitOffsetsIfNecessary(payload.uncommittedOffsets());
    },
    heartbeat: () => payload.heartbeat(),
    isWanted: () => payload.isRunning() && !payload.isStale(),
  };
}

function recordOf(topic: string, partition: number, message: KafkaMessage): KafkaRecord {
  const { offset, key, value } = message;
  return { topic, partition, offset, timestamp: Number(message.timestamp), key, value, headers: headersOf(message) };
}

/**
 * kafkajs collects headers in an ordinary object, so that one named `constructor` comes with the inherited function
 * before its value, and one without a value is null.
 */
function headersOf({ headers = {} }: KafkaMessage): KafkaRecord['headers'] {
  const clean = Object.create(null) as Record<string, Buffer | Buffer[]>;
  for (const name of Object.keys(headers)) {
    const values = [headers[name]].flat().filter((value) => Buffer.isBuffer(value));
    if (values.length > 0) clean[name] = values.length === 1 ? values[0]! : values;
  }
  return clean;
}
