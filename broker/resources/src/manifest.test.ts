import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { formatFault, readManifest, readManifests } from './manifest.ts';
import { keyOf } from './resource.ts';
import { faultPathsOf, faultsOf, receiptsOf, triggerText } from './testing.ts';

const AGENT = `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: agent-function
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/minScale: "0"  # Scale to zero
        autoscaling.knative.dev/maxScale: "10"
    spec:
      containers:
      - image: my-agent:latest
        env:
        - name: ANTHROPIC_API_KEY
          valueFrom:
            secretKeyRef:
              name: api-keys
              key: anthropic
`;

const TICKETS = `# Triggered by external events
apiVersion: sources.knative.dev/v1
kind: KafkaSource
metadata:
  name: support-tickets
spec:
  bootstrapServers:
  - kafka:9092
  topics:
  - support-tickets
  sink:
    ref:
      apiVersion: serving.knative.dev/v1
      kind: Service
      name: ticket-agent  # Agent processes each ticket
`;

describe('a manifest', () => {
  test('declares every resource of its documents, with the place of each', () => {
    const { declared, faults } = readManifest(`${AGENT}---\n${TICKETS}`, 'agents.yaml');
    assert.deepEqual(faults, []);
    assert.deepEqual(
      declared.map(({ resource, place }) => `${place.line} ${keyOf(resource)}`),
      ['1 Service/default/agent-function', '22 KafkaSource/default/support-tickets'],
    );
    assert.equal(declared[1]?.locate('spec.topics[0]').line, 30);
  });

  test('is frozen all through', () => {
    const [declared] = readManifest(AGENT, 'agents.yaml').declared;
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    assert.ok(frozen(declared?.resource));
  });

  test('may be JSON, and a List', () => {
    const items = [JSON.parse(triggerText({})), { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }];
    const { declared, faults } = readManifest(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2), 'f');
    assert.deepEqual(
      declared.map(({ resource }) => keyOf(resource)),
      ['Trigger/default/urgent'],
    );
    assert.deepEqual(faults.map(formatFault), [
      'f:21:7 metadata.name: missing field(s): metadata.name: expected a DNS name: at most 253 lower-case letters, digits, "-" and ".", begun and ended by a letter or digit, got nothing',
    ]);
  });

  test('takes what kubectl printed: server-set fields and status are dropped', () => {
    const metadata = { uid: 'a', resourceVersion: '1', managedFields: [{}], creationTimestamp: null, generation: 2 };
    const text = JSON.stringify({ ...JSON.parse(triggerText({}, metadata)), status: { conditions: [] } });
    const [declared] = readManifest(text, 'f').declared;
    assert.deepEqual(Object.keys(declared?.resource ?? {}), ['apiVersion', 'kind', 'metadata', 'spec']);
    assert.deepEqual(Object.keys(declared?.resource.metadata ?? {}).toSorted(), ['labels', 'name', 'namespace']);
  });

  for (const text of [
    '',
    '# What it is\n',
    '# What it is\nK8s-native serverless platform (Google-backed, now CNCF)\n',
    'Temporal Workflow (always-on, stateful)\n  ↓\n  Calls a function (scales to zero)\n    → Quick LLM operations\n',
    'Note: this is prose\n',
    '- one\n- two\n',
    '42',
  ]) {
    test(`holds no resource when it is ${JSON.stringify(text)}, and that is no fault`, () => {
      assert.deepEqual(faultsOf(text), []);
      assert.deepEqual(receiptsOf(text), ['no resource in this document']);
    });
  }

  test('that configures something without saying what is refused', () => {
    assert.deepEqual(faultPathsOf('provider: {name: openfaas}'), ['apiVersion', 'kind']);
    assert.deepEqual(faultPathsOf('- a: 1'), ['']);
  });
});

describe('a fault', () => {
  test('is told with its place, its path, what was expected and what came', () => {
    const text = `apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: urgent
spec:
  broker: default
  subscriber:
    uri: http://agent
  delivery:
      retry: "3"
      backofDelay: PT1S
`;
    assert.deepEqual(readManifest(text, 'file.yaml').faults.map(formatFault), [
      'file.yaml:10:7 spec.delivery.retry: expected an integer >= 0, got "3" (did you mean 3?)',
      'file.yaml:11:7 spec.delivery.backofDelay: unknown field "spec.delivery.backofDelay": expected one of ' +
        'deadLetterSink, retry, timeout, backoffPolicy, backoffDelay, backoffMax, retryAfterMax, format, got "backofDelay" (did you mean backoffDelay?)',
    ]);
  });

  test('does not hide the others: all are told', () => {
    const text = triggerText({
      broker: undefined,
      subscriber: {},
      filters: [{ exact: { Type: '' } }, { all: [] }],
      delivery: { retry: -1, timeout: '5s' },
      extra: 1,
    });
    assert.deepEqual(faultPathsOf(text).toSorted(), [
      'spec.broker',
      'spec.delivery.retry',
      'spec.delivery.timeout',
      'spec.extra',
      'spec.filters[0].exact.Type',
      'spec.filters[0].exact.Type',
      'spec.filters[1].all',
      'spec.subscriber',
    ]);
  });

  test('of one resource does not keep the others from being declared', () => {
    const { declared, faults } = readManifest(`${AGENT}---\nkind: Trigger\n---\n${TICKETS}`, 'f');
    assert.equal(declared.length, 2);
    assert.equal(faults.length, 1);
  });

  test('is an unknown kind, with the kind that was meant', () => {
    assert.deepEqual(readManifest('apiVersion: eventing.knative.dev/v1\nkind: Triger\n', 'f').faults.map(formatFault), [
      'f:2:1 kind: unknown kind "Triger": expected one of Broker, Trigger, Service, KafkaSource, Channel, InMemoryChannel, KafkaChannel, Subscription, Sequence, Parallel, Choice, Map, EventTransform, EventPolicy, RequestReply, WebhookSource, Secret, ConfigMap, got "Triger" (did you mean Trigger?)',
    ]);
    assert.deepEqual(faultPathsOf('apiVersion: v1\nkind: constructor'), ['kind']);
  });

  test('is a kind in a group that does not have it', () => {
    assert.deepEqual(faultsOf('apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {}'), [
      'apiVersion: no Service in "v1": expected "serving.knative.dev/v1", got "v1"',
    ]);
  });

  test('is a second declaration, in whichever file, and names both places', () => {
    const { declared, faults } = readManifests([
      { file: 'a.yaml', text: TICKETS },
      { file: 'b.yaml', text: `---\n${TICKETS}` },
    ]);
    assert.equal(declared.length, 1);
    assert.deepEqual(faults.map(formatFault), [
      'b.yaml:3:1 metadata.name: KafkaSource/default/support-tickets is declared twice: expected each resource once, got a second one; the first is at a.yaml:2:1',
    ]);
  });

  test('is a resource that is larger than any real one', () => {
    const filters = Array.from({ length: 20_000 }, () => ({ exact: { A: '' } }));
    assert.deepEqual(faultPathsOf(triggerText({ filters })), ['']);
  });
});

describe('a text is wanted and', () => {
  const label = (value: string) =>
    readManifest(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {version: ${value}}\n`, 'f');
  const versionOf = (value: string) => (label(value).declared[0]?.resource as { data?: object } | undefined)?.data;

  for (const value of ['1.0', '0x10', 'true', '12345678901234567890', '1e3', '-0']) {
    test(`${value} was written: it stays ${value}, with a receipt`, () => {
      assert.deepEqual(versionOf(value), { version: value });
      assert.match(label(value).receipts[0]?.message ?? '', /^data\.version is a (number|boolean), read as text/);
    });
  }

  test('nothing was written: it is empty', () => assert.deepEqual(versionOf('null'), { version: '' }));
  test('a list was written: that is a fault', () => assert.equal(label('[a]').faults[0]?.path, 'data.version'));
});

test('any text, and any change to a good manifest, gives declared, faults and receipts, never an exception', () => {
  const good = `${AGENT}---\n${TICKETS}---\n${triggerText({ filters: [{ all: [{ not: { exact: { type: 'a' } } }] }] })}`;
  const changed = fc
    .tuple(
      fc.nat({ max: good.length }),
      fc.nat({ max: 12 }),
      fc.constantFrom('', '1', 'null', '[]', '{}', ':', '\n', '"'),
    )
    .map(([at, length, put]) => good.slice(0, at) + put + good.slice(at + length));
  fc.assert(
    fc.property(fc.oneof(fc.string(), changed), (text) => {
      const { declared, faults, receipts } = readManifest(text, 'f');
      assert.ok(declared.length + faults.length + receipts.length > 0);
      for (const fault of faults) assert.ok(fault.message.includes(fault.expected) && fault.place.line >= 1);
    }),
    { numRuns: 400 },
  );
});
