import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import type { DeadLetterView, EntrySummary } from '@millrace/bus/admin/views';
import type { Status } from '@millrace/bus/plan/plan';

import { post } from '../support/events.ts';
import { provideKafka } from '../support/kafka.ts';
import type { TestKafka } from '../support/kafka.ts';
import { trigger } from '../support/manifests.ts';
import { eventually, startMillrace, testFolder } from '../support/process.ts';
import type { Millrace } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';

const provided = await provideKafka();
const kafka = 'component' in provided ? provided.component : (undefined as unknown as TestKafka);

// As it would stand in a cluster: Kafka by its name there, a function as the sink.
const MANIFEST = `
apiVersion: sources.knative.dev/v1
kind: KafkaSource
metadata: { name: complaints }
spec:
  bootstrapServers: ['kafka:9092']
  topics: [complaints]
  initialOffset: earliest
  delivery: { retry: 1, backoffPolicy: linear, backoffDelay: PT0.1S }
  sink: { ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: complaint-agent } }
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: complaint-agent }
spec: { template: { spec: { containers: [{ image: complaint-agent }] } } }
`;

const AGENT = `export default (event, { logger, failure }) => {
  const { text } = event.data;
  if (typeof text !== 'string') throw failure('a complaint without text', { status: 400 });
  logger.info('handled: ' + text);
};
`;

describe('Kafka to an agent', { skip: 'skip' in provided && provided.skip, timeout: 120_000 }, () => {
  const producer = 'component' in provided ? kafka.client.producer() : undefined;

  before(async () => {
    await kafka.createTopic('complaints');
    await producer!.connect();
  });
  after(async () => {
    await producer?.disconnect();
    await kafka?.close();
  });
  const produce = (...messages: { key?: string; value: string | null; headers?: Record<string, string> }[]) =>
    producer!.send({ topic: 'complaints', messages });

  test('a record wakes the function; what it refuses and what is malformed are dead letters; a restart goes on', async () => {
    using folder = testFolder();
    const manifests = [folder.write('flow.yaml', MANIFEST)];
    folder.write('functions/complaint-agent.mjs', AGENT);
    const options = {
      data: folder.at('data'),
      manifests,
      arguments: ['--alias', `kafka:9092=${kafka.aliasedAddress}`],
    };
    await using millrace = await startMillrace(options);
    await readyOf(millrace, 'KafkaSource', 'complaints', 'True');

    const json = { 'content-type': 'application/json' };
    await produce({ key: 'ada', value: '{"text":"charged twice"}', headers: json });
    await millrace.says(/handled: charged twice/);
    const [event] = await millrace.ask<EntrySummary[]>('/api/events');
    assert.equal(event!.type, 'dev.knative.kafka.event');
    assert.equal(event!.source, '/apis/v1/namespaces/default/kafkasources/complaints#complaints');
    assert.equal(event!.id, 'partition:0/offset:0');
    assert.equal(event!.subject, 'partition:0#0');

    await produce(
      { value: '{"text":7}', headers: json },
      { value: 'half an event', headers: { ce_specversion: '1.0', ce_id: '1' } },
      { value: '{"text":"after all that"}', headers: json },
    );
    await millrace.says(/handled: after all that/);
    const letters = await deadLetters(millrace, 2);
    const byId = new Map(letters.map((letter) => [letter.id, letter]));
    const refused = byId.get('partition:0/offset:1')!;
    assert.equal(refused.failure.status, 400);
    assert.match(refused.failure.message + refused.failure.body, /a complaint without text/);
    const parked = byId.get('partition:0/offset:2')!;
    assert.equal(parked.route, 'kafkasource/default/complaints');
    assert.match(parked.failure.message, /the record means to be a CloudEvent: source/);
    assert.equal(parked.data, 'half an event');

    // Redriven it goes to the sink as the record that it is; there it is no complaint either.
    const { position, route } = parked;
    assert.deepEqual(await millrace.ask('/api/dead-letters/redrive', { position, route }), { count: 1 });
    const again = await eventually(async () => {
      const [letter] = await millrace.ask<DeadLetterView[]>(`/api/dead-letters?position=${position}`);
      return letter !== undefined && letter.attempts > parked.attempts ? letter : undefined;
    });
    assert.match(again.failure.destination, /complaint-agent/);

    // What comes while nobody is there waits in Kafka; what was taken does not come again.
    assert.equal((await millrace.stop()).code, 0);
    await produce({ value: '{"text":"while you were out"}', headers: json });
    await using second = await startMillrace(options);
    await second.says(/handled: while you were out/);
    await second.settled();
    assert.doesNotMatch(second.stderr, /handled: (?:charged twice|after all that)/);
  });

  test('every record survives a kill', async () => {
    using folder = testFolder();
    await using subscriber = await startSubscriber();
    const source = MANIFEST.split('---')[0]!
      .replace(/sink: .*/, 'sink: { ref: { apiVersion: eventing.knative.dev/v1, kind: Broker, name: default } }')
      .replace('name: complaints', 'name: killed');
    const manifests = [folder.write('flow.yaml', `${source}${trigger('all', subscriber.url)}`)];
    const options = {
      data: folder.at('data'),
      manifests,
      arguments: ['--alias', `kafka:9092=${kafka.aliasedAddress}`],
    };
    const values = Array.from({ length: 300 }, (_, nth) => `complaint ${nth}`);
    await using first = await startMillrace(options);
    await readyOf(first, 'KafkaSource', 'killed', 'True');
    const produced = produce(...values.map((value) => ({ value })));
    await subscriber.count(20);
    await first.kill();
    await produced;
    await using second = await startMillrace(options);
    const wanted = new Set(values);
    await eventually(() => {
      for (const { body } of subscriber.received) wanted.delete(body.toString());
      return wanted.size === 0 ? true : undefined;
    });
    await second.settled();
  });
});

test('without a Kafka the source is not ready and says why; everything else works', { timeout: 60_000 }, async () => {
  using folder = testFolder();
  await using subscriber = await startSubscriber();
  const manifests = [folder.write('flow.yaml', MANIFEST + trigger('all', subscriber.url))];
  folder.write('functions/complaint-agent.mjs', AGENT);
  // Nobody listens at port 9 of loopback.
  const options = { data: folder.at('data'), manifests, arguments: ['--alias', 'kafka:9092=127.0.0.1:9'] };
  await using millrace = await startMillrace(options);
  const ready = await readyOf(millrace, 'KafkaSource', 'complaints', 'False');
  assert.match(ready.message ?? '', /127\.0\.0\.1:9|kafka:9092/);
  assert.equal((await post(millrace.broker, { id: 'e' })).status, 202);
  await subscriber.count(1);
  assert.equal((await fetch(`${millrace.admin}/readyz`)).status, 200);
  assert.equal((await millrace.stop()).code, 0);
});

/** The Ready condition of a resource, once it has this status. */
function readyOf(
  millrace: Millrace,
  kind: string,
  name: string,
  status: string,
): Promise<Status['conditions'][number]> {
  return eventually(async () => {
    const resources = await millrace.ask<Status[]>('/api/resources');
    const conditions = resources.find((it) => it.kind === kind && it.name === name)?.conditions;
    return conditions?.find((it) => it.type === 'Ready' && it.status === status);
  });
}

function deadLetters(millrace: Millrace, count: number): Promise<DeadLetterView[]> {
  return eventually(async () => {
    const letters = await millrace.ask<DeadLetterView[]>('/api/dead-letters');
    return letters.length >= count ? letters : undefined;
  });
}
