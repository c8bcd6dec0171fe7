import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createCollector } from '../collect.ts';
import { KafkaFailure } from './client.ts';
import type { ConsumeKafka, KafkaBatch, KafkaRecord, KafkaSubscription } from './client.ts';
import { kafkaSourceOver } from './source.ts';
import type { KafkaSourceOptions } from './source.ts';

const OPTIONS: KafkaSourceOptions = {
  namespace: 'ns',
  name: 'src',
  bootstrapServers: ['kafka:9092'],
  topics: ['orders'],
  keyType: 'string',
  extensions: {},
};

/** A client whose joins, batches and crashes are the test's. Waits are not waited for; they are written down. */
function fakeKafka() {
  type Join = {
    subscription: KafkaSubscription;
    take: (batch: KafkaBatch) => Promise<void>;
    refuse: (failure: KafkaFailure) => void;
    accept: () => void;
    crash: (failure: KafkaFailure) => void;
    closed: boolean;
  };
  const joins: Join[] = [];
  const waits: number[] = [];
  let joined = Promise.withResolvers<Join>();

  const consume: ConsumeKafka = (_cluster, subscription, take) =>
    new Promise((resolve, reject) => {
      const ended = Promise.withResolvers<KafkaFailure | undefined>();
      const close = async () => {
        join.closed = true;
        ended.resolve(undefined);
      };
      const accept = () => resolve({ ended: ended.promise, close });
      const join: Join = { subscription, take, refuse: reject, accept, crash: ended.resolve, closed: false };
      joins.push(join);
      joined.resolve(join);
      joined = Promise.withResolvers();
    });
  const wait = async (milliseconds: number) => void waits.push(milliseconds);
  return { start: kafkaSourceOver(consume, { random: () => 0, wait }), joins, waits, next: () => joined.promise };
}

/** A batch of records without values of interest; `committed` are the offsets in the order of their commits. */
function fakeBatch(values: (string | null)[], changes: Partial<KafkaBatch> = {}) {
  const committed: string[] = [];
  const records = values.map((value, index): KafkaRecord => ({
    topic: 'orders',
    partition: 0,
    offset: String(index),
    timestamp: -1,
    key: null,
    value: value === null ? null : Buffer.from(value),
    headers: {},
  }));
  const batch: KafkaBatch = {
    records,
    commit: async ({ offset }) => void committed.push(offset),
    heartbeat: async () => {},
    isWanted: () => true,
    ...changes,
  };
  return { batch, committed };
}

async function connected(collector = createCollector(), options = OPTIONS) {
  const kafka = fakeKafka();
  const next = kafka.next();
  const source = kafka.start(options, collector.outlet, collector.report);
  const join = await next;
  join.accept();
  await collector.told('Connected');
  return { kafka, source, join, collector };
}

describe('the Kafka source', () => {
  test('joins under a name that a restart finds again', async () => {
    const { source, join } = await connected();
    assert.deepEqual(join.subscription, {
      group: 'knative-kafka-source-ns-src',
      topics: ['orders'],
      initialOffset: 'latest',
      concurrency: 1,
    });
    await source.drain();
    assert.equal(join.closed, true);
  });

  test('tries again with growing waits up to 30 seconds while there is no broker', async () => {
    const kafka = fakeKafka();
    const collector = createCollector();
    let next = kafka.next();
    const source = kafka.start(OPTIONS, collector.outlet, collector.report);
    for (let tries = 0; tries < 10; tries += 1) {
      const join = await next;
      next = kafka.next();
      join.refuse(new KafkaFailure('ConnectionFailed', 'no Kafka broker'));
    }
    (await next).accept();
    await collector.told('Connected');
    await source.drain();
    assert.deepEqual(kafka.waits, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    assert.deepEqual(
      collector.statuses.map(({ ready, reason }) => [ready, reason]),
      [
        [false, 'ConnectionFailed'],
        [true, 'Connected'],
      ],
    );
  });

  test('takes a new consumer when one has crashed, and waits little again once records came', async () => {
    const { kafka, source, join, collector } = await connected();
    let next = kafka.next();
    join.crash(new KafkaFailure('ConsumerFailed', 'broken'));
    const second = await next;
    assert.equal(join.closed, true);
    second.accept();
    await collector.told('Connected');
    next = kafka.next();
    second.crash(new KafkaFailure('ConsumerFailed', 'broken'));
    const third = await next;
    third.accept();
    await collector.told('Connected');
    await third.take(fakeBatch(['x']).batch);
    next = kafka.next();
    third.crash(new KafkaFailure('ConsumerFailed', 'broken'));
    (await next).accept();
    await collector.told('Connected');
    await source.drain();
    assert.deepEqual(kafka.waits, [250, 500, 250]);
  });

  test('a drain while it is joining closes what it joined', async () => {
    const kafka = fakeKafka();
    const collector = createCollector();
    const next = kafka.next();
    const source = kafka.start(OPTIONS, collector.outlet, collector.report);
    const join = await next;
    const drained = source.drain();
    join.accept();
    await drained;
    await source.drain();
    assert.equal(join.closed, true);
    assert.deepEqual(collector.statuses, []);
    assert.equal(kafka.joins.length, 1);
  });

  test('commits a chunk only after its events and its parked records are durable', async () => {
    const steps: string[] = [];
    const collector = createCollector(async (events) => void steps.push(`emit ${events.length}`));
    const { source, join } = await connected(collector);
    const { batch, committed } = fakeBatch([...Array.from({ length: 500 }, String), null, 'last'], {
      commit: async ({ offset }) => void steps.push(`commit ${offset}`),
      heartbeat: async () => void steps.push('heartbeat'),
    });
    await join.take(batch);
    await source.drain();
    assert.deepEqual(steps, ['emit 500', 'commit 499', 'heartbeat', 'emit 1', 'commit 501', 'heartbeat']);
    assert.deepEqual(committed, []);
    assert.equal(collector.parked.length, 1);
  });

  test('offers what was refused again, never skips it, and tells so', async () => {
    let tries = 0;
    const collector = createCollector(async () => {
      tries += 1;
      if (tries <= 6) throw new Error('the log is full');
    });
    const { kafka, source, join } = await connected(collector);
    const { batch, committed } = fakeBatch(['1', '2']);
    await join.take(batch);
    await source.drain();
    assert.deepEqual([collector.chunks, committed], [[2], ['1']]);
    assert.deepEqual(kafka.waits, [250, 500, 1000, 2000, 4000, 5000]);
    assert.deepEqual(
      collector.statuses.map(({ reason }) => reason),
      ['Connected', 'EventsRefused', 'Connected'],
    );
  });

  test('parks what will never be taken, takes the rest in order, and goes on', async () => {
    const refusal = (status: number, message: string) => Object.assign(new Error(message), { status });
    const collector = createCollector(async (events) => {
      const texts = new Set(events.map(({ data }) => Buffer.from(data ?? []).toString()));
      if (texts.has('wrong')) throw refusal(422, 'the data is not JSON');
      if (texts.has('long')) throw refusal(413, 'too long');
    });
    const { kafka, source, join } = await connected(collector);
    const { batch, committed } = fakeBatch(['1', 'wrong', '2', 'long', '3']);
    await join.take(batch);
    await source.drain();
    const textOf = ({ data }: { data: Uint8Array | undefined }) => data && Buffer.from(data).toString();
    assert.deepEqual(collector.events.map(textOf), ['1', '2', '3']);
    assert.deepEqual(
      collector.parked.map(({ event, reason }) => [textOf(event), reason]),
      [
        ['wrong', 'the data is not JSON'],
        [undefined, 'too long; the record stays in Kafka'],
      ],
    );
    assert.deepEqual([committed, kafka.waits], [['4'], []]);
  });

  test('leaves a batch uncommitted when its partition is taken away meanwhile', async () => {
    const collector = createCollector(() => Promise.reject(new Error('the log is full')));
    const { source, join } = await connected(collector);
    const { batch, committed } = fakeBatch(['1'], { heartbeat: () => Promise.reject(new Error('rebalancing')) });
    await assert.rejects(join.take(batch), /rebalancing/);
    await source.drain();
    assert.deepEqual(committed, []);
  });

  test('a drain ends offering what is refused, and commits nothing of it', async () => {
    const refused = Promise.withResolvers<void>();
    const collector = createCollector(async () => {
      refused.resolve();
      throw new Error('draining');
    });
    const { source, join } = await connected(collector);
    const { batch, committed } = fakeBatch(['1']);
    const taking = join.take(batch);
    await refused.promise;
    await source.drain();
    await taking;
    assert.deepEqual([committed, collector.events], [[], []]);
  });

  test('leaves the chunks that it has not begun when the consumer closes', async () => {
    const collector = createCollector();
    const { source, join } = await connected(collector);
    const { batch, committed } = fakeBatch(Array.from({ length: 1000 }, String), {
      isWanted: () => collector.events.length === 0,
    });
    await join.take(batch);
    await source.drain();
    assert.deepEqual([committed, collector.events.length], [['499'], 500]);
  });
});
