import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { parseAllDocuments } from 'yaml';

import { readDocument } from '../support/document.ts';
import { post } from '../support/events.ts';
import { provideKafka } from '../support/kafka.ts';
import { kubectlAt, provideKubectl } from '../support/kubectl.ts';
import { eventually, startMillrace, testFolder } from '../support/process.ts';

// Everything that a document has for Knative, applied by kubectl byte for byte to a process that knows nothing of it.

const provided = readDocument();
const kubectl = await provideKubectl();
const kafka = 'skip' in provided ? provided : await provideKafka();
const skip = [provided, kubectl, kafka].find((it) => 'skip' in it)?.skip ?? false;

interface Published {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: unknown;
}

/** The blocks that declare something of Knative's, and what. */
const blocks = ('document' in provided ? provided.document.blocks : []).filter((it) =>
  /^apiVersion: .*\.knative\.dev\//m.test(it),
);
const published = blocks.flatMap((it) => parseAllDocuments(it).map((document) => document.toJS() as Published));

/** Every function that is declared, or referred to. */
const functions = new Set([
  ...published.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name),
  ...JSON.stringify(published.map(({ spec }) => spec))
    .matchAll(/"ref":(\{[^}]*\})/g)
    .map(([, ref]) => JSON.parse(ref!) as { kind: string; name: string })
    .filter(({ kind }) => kind === 'Service')
    .map(({ name }) => name),
]);

describe('what is published for Knative', { skip, timeout: 120_000 }, () => {
  after(async () => {
    if ('component' in kafka) await kafka.component.close();
  });

  test('is applied by kubectl as it is, becomes ready, and works', async () => {
    const { component } = kafka as Extract<typeof kafka, { component: unknown }>;
    await component.createTopic('support-tickets');
    using folder = testFolder();
    for (const name of functions) folder.write(`code/${name}.mjs`, HANDLER(name));
    await using millrace = await startMillrace({
      data: folder.at('data'),
      arguments: ['--code', folder.at('code'), '--alias', `kafka:9092=${component.aliasedAddress}`],
    });
    const run = kubectlAt(
      millrace.admin,
      folder.path,
      (kubectl as Extract<typeof kubectl, { component: string }>).component,
    );
    const apply = (text: string) => run(['apply', '-f', '-'], text);

    await run(['create', 'secret', 'generic', 'api-keys', '--from-literal=anthropic=none']);
    for (const block of blocks) {
      const names = parseAllDocuments(block).map((it) => (it.toJS() as Published).metadata.name);
      const said = await apply(block);
      for (const name of names) assert.match(said, new RegExp(`/${name} (?:created|configured|unchanged)$`, 'm'));
    }
    // What is referred to and published nowhere.
    const declared = new Set(published.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name));
    await apply(
      [...functions]
        .filter((name) => !declared.has(name))
        .map(serviceOf)
        .join(''),
    );
    for (const { apiVersion, kind, metadata } of published) {
      const [group = ''] = apiVersion.split('/');
      const said = await run([
        'wait',
        '--for=condition=Ready',
        `${kind.toLowerCase()}.${group}/${metadata.name}`,
        '--timeout=30s',
      ]);
      assert.match(said, /condition met/);
    }

    // The API's own Events go to the function that watches them.
    await apply(EVENT);
    await millrace.says(/agent-function got dev\.knative\.apiserver\.resource\.add something-happened/);
    // A record of Kafka wakes the function that its source names.
    const producer = component.client.producer();
    await producer.connect();
    await producer.send({ topic: 'support-tickets', messages: [{ value: '{"text":"help"}' }] });
    await producer.disconnect();
    await millrace.says(/ticket-agent got dev\.knative\.kafka\.event/);
    // A flow runs to its end.
    await post(`${millrace.url}/flows/sequence/default/agent-pipeline`, { type: 'asked', data: '{}' });
    await millrace.says(/result-handler got format-response\.done/);
    await eventually(async () =>
      (await millrace.ask<unknown[]>('/api/dead-letters')).length === 0 ? true : undefined,
    );
  });
});

/** Tells what it gets, and answers with an event of its own. */
const HANDLER = (name: string) => `export default ({ type, data }, { logger }) => {
  logger.info('${name} got ' + type + ' ' + (data?.metadata?.name ?? ''));
  return { type: '${name}.done', data: {} };
};
`;

const serviceOf = (name: string) => `---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: ${name} }
spec: { template: { spec: { containers: [{ image: ${name} }] } } }
`;

const EVENT = `
apiVersion: v1
kind: Event
metadata: { name: something-happened }
involvedObject: { kind: Pod, name: web, namespace: default }
reason: Happened
type: Normal
`;
