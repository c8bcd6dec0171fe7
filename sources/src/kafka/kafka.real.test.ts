import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { makeEvent } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { encodeKafka } from '@millrace/event/kafka';
import type { RunningSource } from '@millrace/event/source';
import kafkajs from 'kafkajs';
import type { Message, ProducerRecord } from 'kafkajs';

import { provideKafka } from '../../../test/support/kafka.ts';
import { createCollector } from '../collect.ts';
import type { Collector } from '../collect.ts';
import { kafkaSource } from './source.ts';
import type { KafkaSourceOptions } from './source.ts';

const provided = await provideKafka();
const kafka = 'component' in provided ? provided.component : undefined!;
const running = new Set<RunningSource>();
let names = 0;

after(async () => {
  await Promise.all([...running].map((source) => source.drain()));
  if ('component' in provided) await kafka.close();
});

describe(
  'the Kafka source against a real Kafka',
  { skip: 'skip' in provided && provided.skip, timeout: 90_000 },
  () => {
    test('records of every shape become events or are parked, and their partition moves on', async () => {
      const topic = await newTopic();
      const sent = makeEvent(
        { specversion: '1.0', id: '7', source: '/shop', type: 'order', subject: 'größe' },
        bytes('{}'),
      );
      await produce(topic, [
        { key: 'k', value: 'plain', headers: { 'Content-Type': 'Text/Plain', 'X-Trace': 'a', constructor: 'c' } },
        encodeKafka(sent, 'binary'),
        { key: 'k', value: null },
        encodeKafka(sent, 'structured'),
        { value: 'half', headers: { ce_specversion: '1.0', ce_id: '1' } },
        { key: null, value: 'last', headers: { twice: ['1', '2'] } },
      ]);
      const { collector, source } = start({ topics: [topic], name: 'shapes', initialOffset: 'earliest' });
      await collector.until(() => collector.events.length === 4 && collector.parked.length === 2);

      const [plain, binary, structured, last] = collector.events as [CloudEvent, CloudEvent, CloudEvent, CloudEvent];
      assert.deepEqual(shown(plain), {
        specversion: '1.0',
        id: 'partition:0/offset:0',
        source: `/apis/v1/namespaces/default/kafkasources/shapes#${topic}`,
        type: 'dev.knative.kafka.event',
        subject: 'partition:0#0',
        datacontenttype: 'text/plain',
        extensions: { partitionkey: 'k', key: 'k', kafkaheaderxtrace: 'a', kafkaheaderconstructor: 'c' },
        data: 'plain',
      });
      assert.ok(Math.abs(Date.parse(plain.time!) - Date.now()) < 60_000);
      assert.deepEqual(shown(binary), shown(sent));
      assert.deepEqual(shown(structured), shown(sent));
      assert.deepEqual({ ...last.extensions }, { kafkaheadertwice: '2' });
      assert.deepEqual(
        collector.parked.map(({ event, reason }) => [event.id, event.data && text(event.data), reason.slice(0, 60)]),
        [
          ['partition:0/offset:2', undefined, 'the record has no value (a tombstone), so that there is noth'],
          ['partition:0/offset:4', 'half', 'the record means to be a CloudEvent: source: expected a valu'],
        ],
      );
      await stop(source);
      assert.deepEqual(await committed('shapes', topic), ['6']);
    });

    test('a restart resumes at the committed offset', async () => {
      const topic = await newTopic();
      await produce(topic, ['1', '2'].map(record));
      const first = start({ topics: [topic], name: 'resume', initialOffset: 'earliest' });
      await first.collector.until(() => first.collector.events.length === 2);
      await stop(first.source);
      await produce(topic, ['3'].map(record));
      const second = start({ topics: [topic], name: 'resume', initialOffset: 'earliest' });
      await second.collector.until(() => second.collector.events.length > 0);
      await stop(second.source);
      assert.deepEqual(values(second.collector), ['3']);
    });

    test('latest means from the first start on, also when the source was down in between', async () => {
      const topic = await newTopic();
      await produce(topic, ['old'].map(record));
      const first = start({ topics: [topic], name: 'latest' });
      await first.collector.told('Connected');
      await stop(first.source);
      await produce(topic, ['new'].map(record));
      const second = start({ topics: [topic], name: 'latest' });
      await second.collector.until(() => second.collector.events.length > 0);
      await stop(second.source);
      assert.deepEqual(values(second.collector), ['new']);
    });

    test('what is not durable is not committed, and is offered again in order until it is', async () => {
      const topic = await newTopic();
      await produce(topic, ['1', '2', '3'].map(record));
      const before: string[][] = [];
      const collector = createCollector(async () => {
        before.push(await committed('refused', topic));
        if (before.length < 3) throw new Error('the log is full');
      });
      const source = run({ topics: [topic], name: 'refused', initialOffset: 'earliest' }, collector);
      await collector.until(() => collector.events.length === 3);
      await stop(source);
      assert.deepEqual(before, [['0'], ['0'], ['0']]);
      assert.deepEqual(values(collector), ['1', '2', '3']);
      assert.deepEqual(await committed('refused', topic), ['3']);
      const refused = collector.statuses.find(({ ready }) => !ready);
      assert.equal(refused?.reason, 'EventsRefused');
      assert.match(refused.message, /the log is full/);
      assert.equal(collector.statuses.at(-1)?.ready, true);
    });

    test('a drain finishes and commits what is being taken', async () => {
      const topic = await newTopic();
      await produce(topic, ['1', '2'].map(record));
      const emitting = Promise.withResolvers<void>();
      const durable = Promise.withResolvers<void>();
      const collector = createCollector(async () => {
        emitting.resolve();
        await durable.promise;
      });
      const source = run({ topics: [topic], name: 'drain', initialOffset: 'earliest' }, collector);
      await emitting.promise;
      const drained = stop(source);
      assert.deepEqual(await committed('drain', topic), ['0']);
      durable.resolve();
      await drained;
      assert.deepEqual(await committed('drain', topic), ['2']);
    });

    test('a process killed between emit and commit gets the same records again', async () => {
      const topic = await newTopic();
      await produce(topic, ['1', '2'].map(record));
      const options = optionsOf({ topics: [topic], name: 'killed', initialOffset: 'earliest' });
      const child = spawn(process.execPath, [
        join(import.meta.dirname, 'killed-after-emit.ts'),
        JSON.stringify(options),
      ]);
      const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
      assert.equal(signal, 'SIGKILL');
      assert.deepEqual(await committed('killed', topic), ['0']);
      const { collector, source } = start({ topics: [topic], name: 'killed', initialOffset: 'earliest' });
      await collector.until(() => collector.events.length >= 2);
      await stop(source);
      assert.deepEqual(values(collector), ['1', '2']);
    });

    test('many records come in chunks of at most 500, compressed or not', async () => {
      const topic = await newTopic();
      const messages = Array.from({ length: 600 }, (_, index) => record(String(index)));
      await produce(topic, messages, kafkajs.CompressionTypes.GZIP);
      await produce(topic, messages, kafkajs.CompressionTypes.ZSTD);
      const { collector, source } = start({ topics: [topic], name: 'many', initialOffset: 'earliest' });
      await collector.until(() => collector.events.length === 1200);
      await stop(source);
      assert.ok(collector.chunks.every((size) => size <= 500));
      assert.deepEqual(new Set(values(collector)), new Set(messages.map(({ value }) => value)));
    });

    test('members that come and go lose nothing', async () => {
      const topic = await newTopic(4);
      const all = Array.from({ length: 300 }, (_, index) => String(index));
      const options = { topics: [topic], name: 'members', initialOffset: 'earliest', consumers: 2 } as const;
      const first = start(options);
      await first.collector.told('Connected');
      await produce(topic, all.slice(0, 100).map(record));
      const second = start(options);
      await produce(topic, all.slice(100, 200).map(record));
      await second.collector.told('Connected');
      await produce(topic, all.slice(200).map(record));
      await second.collector.until(() => second.collector.events.length > 0);
      await stop(first.source);
      const seen = () => new Set([...values(first.collector), ...values(second.collector)]);
      await second.collector.until(() => seen().size === all.length);
      await stop(second.source);
    });

    test('an alias leads to the broker, also for the address that it advertises', async () => {
      const topic = await newTopic();
      await produce(topic, ['1'].map(record));
      const bootstrapServers = ['kafka:9092'];
      const { collector, source } = start({
        topics: [topic],
        name: 'alias',
        initialOffset: 'earliest',
        bootstrapServers,
        aliases: { 'kafka:9092': kafka.aliasedAddress },
      });
      await collector.until(() => collector.events.length === 1);
      await stop(source);
    });

    test('an advertised address that leads nowhere is told, with the alias that would help', async () => {
      const topic = await newTopic();
      const { collector, source } = start({ topics: [topic], name: 'lost', bootstrapServers: [kafka.aliasedAddress] });
      const { ready, message } = await collector.told('ConnectionFailed');
      await stop(source);
      assert.equal(ready, false);
      assert.match(message, /kafka:9092, an address that the cluster advertises/);
      assert.match(message, /alias of "kafka:9092"/);
    });

    test('a topic that is not there is told, and read once it is', async () => {
      const topic = `late-${process.pid}`;
      const { collector, source } = start({ topics: [topic], name: 'late', initialOffset: 'earliest' });
      const { message } = await collector.told('TopicNotFound');
      assert.match(message, new RegExp(topic));
      await kafka.createTopic(topic);
      await produce(topic, ['1'].map(record));
      await collector.until(() => collector.events.length === 1);
      await stop(source);
    });

    test('refused credentials are told without the secret; good ones connect', async () => {
      const topic = await newTopic();
      const sasl = { mechanism: 'PLAIN', user: 'alice', password: 'wrong-canary' } as const;
      const where = { topics: [topic], name: 'sasl', bootstrapServers: [kafka.saslAddress] };
      const bad = start({ ...where, net: { sasl } });
      const { message } = await bad.collector.told('AuthenticationFailed');
      assert.match(message, /user alice by PLAIN/);
      assert.doesNotMatch(message, /canary/);
      await stop(bad.source);
      const none = start(where);
      assert.match((await none.collector.told('ConnectionFailed')).message, /TLS or SASL/);
      await stop(none.source);
      const good = start({ ...where, net: { sasl: { ...sasl, password: 'wonder' } } });
      await good.collector.told('Connected');
      await stop(good.source);
    });

    test('a broker that dies and comes back is read on from where it was', async () => {
      const topic = await newTopic();
      const { collector, source } = start({ topics: [topic], name: 'broker', initialOffset: 'earliest' });
      await produce(topic, ['1'].map(record));
      await collector.until(() => collector.events.length === 1);
      await kafka.kill();
      const { message } = await collector.told('ConnectionFailed');
      assert.match(message, new RegExp(kafka.address));
      await kafka.restart();
      await produce(topic, ['2'].map(record));
      await collector.until(() => values(collector).includes('2'));
      assert.equal((await collector.told('Connected')).ready, true);
      await stop(source);
    });
  },
);

function optionsOf(changes: Partial<KafkaSourceOptions> & { name: string }): KafkaSourceOptions {
  return {
    namespace: 'default',
    bootstrapServers: [kafka.address],
    topics: [],
    keyType: 'string',
    extensions: {},
    ...changes,
  };
}

function run(changes: Partial<KafkaSourceOptions> & { name: string }, collector: Collector): RunningSource {
  const source = kafkaSource(optionsOf(changes), collector.outlet, collector.report);
  running.add(source);
  return source;
}

function start(changes: Partial<KafkaSourceOptions> & { name: string }) {
  const collector = createCollector();
  return { collector, source: run(changes, collector) };
}

async function stop(source: RunningSource): Promise<void> {
  await source.drain();
  running.delete(source);
}

async function newTopic(partitions = 1): Promise<string> {
  names += 1;
  const topic = `topic-${names}`;
  await kafka.createTopic(topic, partitions);
  return topic;
}

async function produce(topic: string, messages: Message[], compression?: ProducerRecord['compression']): Promise<void> {
  const producer = kafka.client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, messages, ...(compression !== undefined && { compression }) });
  await producer.disconnect();
}

async function committed(name: string, topic: string): Promise<string[]> {
  const admin = kafka.client.admin();
  await admin.connect();
  const offsets = await admin.fetchOffsets({ groupId: `knative-kafka-source-default-${name}`, topics: [topic] });
  await admin.disconnect();
  return offsets.flatMap(({ partitions }) => partitions.map(({ offset }) => offset));
}

const bytes = (value: string) => Buffer.from(value);
const text = (data: Uint8Array) => Buffer.from(data).toString();
const record = (value: string) => ({ value });
const values = ({ events }: Collector) => events.map(({ data }) => text(data!));

/** An event without its time, its data as text. */
function shown({ data, extensions, ...event }: CloudEvent): unknown {
  const present = Object.entries(event).filter(([name, value]) => name !== 'time' && value !== undefined);
  return { ...Object.fromEntries(present), extensions: { ...extensions }, data: data && text(data) };
}
