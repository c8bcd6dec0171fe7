import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { formatFault, readManifest } from '@millrace/resources/manifest';
import { scalingOf } from '@millrace/resources/scaling';

import { compilePlan } from './compile.ts';
import type { Plan } from './plan.ts';

const URL_OF_DATA = 'http://127.0.0.1:8080';

interface Said {
  readonly namespace?: string;
  readonly annotations?: Record<string, string>;
}

const eventing = 'eventing.knative.dev/v1';
const document = (apiVersion: string, kind: string, name: string, rest: object, { namespace, annotations }: Said) =>
  `---\n${JSON.stringify({ apiVersion, kind, metadata: { name, namespace, annotations }, ...rest })}\n`;
const broker = (name: string, spec: object = {}, said: Said = {}) => document(eventing, 'Broker', name, { spec }, said);
const trigger = (name: string, spec: object = {}, said: Said = {}) =>
  document(eventing, 'Trigger', name, { spec: { broker: 'default', subscriber: AGENT, ...spec } }, said);
const service = (name: string, container: object = {}, said: Said = {}, spec: object = {}) => {
  const template = { spec: { containers: [{ image: 'agent', ...container }], ...spec } };
  return document('serving.knative.dev/v1', 'Service', name, { spec: { template } }, said);
};
const kafkaSource = (name: string, spec: object = {}) =>
  document(
    'sources.knative.dev/v1',
    'KafkaSource',
    name,
    { spec: { bootstrapServers: ['kafka:9092'], topics: ['orders'], sink: DEFAULT_BROKER, ...spec } },
    {},
  );
const webhookSource = (name: string, spec: object = {}) =>
  document('sources.millrace.dev/v1alpha1', 'WebhookSource', name, { spec: { sink: DEFAULT_BROKER, ...spec } }, {});
const secret = (name: string, stringData: Record<string, string>) => document('v1', 'Secret', name, { stringData }, {});
const configMap = (name: string, data: Record<string, string>) => document('v1', 'ConfigMap', name, { data }, {});

const AGENT = { uri: 'http://agent/' };
const DEFAULT_BROKER = { ref: { apiVersion: eventing, kind: 'Broker', name: 'default' } };
const refTo = (name: string) => ({ ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name } });

function compile(...documents: string[]): Plan {
  const { declared, faults } = readManifest(documents.join(''), 'test.yaml');
  assert.deepEqual(faults.map(formatFault), []);
  return compilePlan(declared, URL_OF_DATA);
}

/** The conditions of a resource that are not True, as `<type> <status> <reason>`. */
function notTrue(plan: Plan, key: string): string[] {
  const status = plan.statuses.get(key);
  assert.ok(status !== undefined, `no status of ${key}`);
  return status.conditions.filter((it) => it.status !== 'True').map((it) => `${it.type} ${it.status} ${it.reason}`);
}

const conditionTypes = (plan: Plan, key: string) => plan.statuses.get(key)!.conditions.map((it) => it.type);
const faultsOf = ({ faults }: Plan) => faults.map(({ key, path }) => `${key} ${path}`);

describe('a Broker', () => {
  test('is a topic with a door, an address and conditions', () => {
    const plan = compile(broker('orders', {}, { namespace: 'shop' }));
    assert.deepEqual(
      plan.inlets.find((it) => it.key === 'Broker/shop/orders'),
      { path: '/shop/orders', topic: 'broker/shop/orders', key: 'Broker/shop/orders' },
    );
    assert.equal(plan.statuses.get('Broker/shop/orders')!.url, 'http://127.0.0.1:8080/shop/orders');
    assert.deepEqual(notTrue(plan, 'Broker/shop/orders'), []);
    assert.deepEqual(conditionTypes(plan, 'Broker/shop/orders'), [
      'Ready',
      'IngressReady',
      'TriggerChannelReady',
      'FilterReady',
      'Addressable',
      'DeadLetterSinkResolved',
      'EventPoliciesReady',
    ]);
  });

  test('whose dead letter sink is nowhere says so and takes events all the same', () => {
    const plan = compile(broker('orders', { delivery: { deadLetterSink: refTo('gone') } }));
    assert.deepEqual(notTrue(plan, 'Broker/default/orders'), [
      'Ready False NotFound',
      'DeadLetterSinkResolved False NotFound',
    ]);
    assert.ok(plan.inlets.some((it) => it.path === '/default/orders'));
  });

  test('called default is in the namespace default without being declared, once', () => {
    for (const plan of [compile(''), compile(broker('default'))]) {
      assert.deepEqual(
        plan.inlets.map((it) => it.path),
        ['/default/default'],
      );
      assert.deepEqual(notTrue(plan, 'Broker/default/default'), []);
    }
  });

  test('called default is in another namespace when a Trigger there asks for it', () => {
    const injection = { 'eventing.knative.dev/injection': 'enabled' };
    const plan = compile(trigger('t', {}, { namespace: 'shop', annotations: injection }));
    assert.deepEqual(plan.inlets.map((it) => it.path).toSorted(), ['/default/default', '/shop/default']);
    assert.deepEqual(notTrue(plan, 'Trigger/shop/t'), []);
    assert.deepEqual(notTrue(compile(trigger('t', {}, { namespace: 'shop' })), 'Trigger/shop/t'), [
      'Ready False BrokerDoesNotExist',
      'BrokerReady False BrokerDoesNotExist',
    ]);
  });
});

describe('a Trigger', () => {
  test('tells where its subscriber and its dead letters are', () => {
    const flow = (kind: string, name: string, spec: object) =>
      document('flows.knative.dev/v1', kind, name, { spec }, { namespace: 'shop' });
    const all = [
      service('agent'),
      flow('Sequence', 'pack', { steps: [AGENT] }),
      document('messaging.knative.dev/v1', 'InMemoryChannel', 'dead', { spec: {} }, {}),
    ].join('');
    const uris = (subscriber: object, deadLetterSink?: object) => {
      const delivery = deadLetterSink === undefined ? {} : { delivery: { deadLetterSink } };
      return compile(all, trigger('t', { subscriber, ...delivery })).statuses.get('Trigger/default/t')!.details;
    };
    const channel = { ref: { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name: 'dead' } };
    assert.deepEqual(uris(refTo('agent'), channel), {
      subscriberUri: 'http://agent.default.svc.cluster.local',
      deadLetterSinkUri: `${URL_OF_DATA}/channels/default/dead`,
    });
    const sequence = { ref: { apiVersion: 'flows.knative.dev/v1', kind: 'Sequence', name: 'pack', namespace: 'shop' } };
    assert.deepEqual(uris(sequence, DEFAULT_BROKER), {
      subscriberUri: `${URL_OF_DATA}/flows/sequence/shop/pack`,
      deadLetterSinkUri: `${URL_OF_DATA}/default/default`,
    });
    assert.deepEqual(uris(refTo('gone')), { subscriberUri: undefined, deadLetterSinkUri: undefined });
  });

  test('is a route from its broker to its subscriber, with all defaults, that replies to the broker', () => {
    const plan = compile(trigger('t'));
    assert.deepEqual(plan.routes, [
      {
        name: 'trigger/default/t',
        key: 'Trigger/default/t',
        sinkCondition: 'SubscriberResolved',
        namespace: 'default',
        topic: 'broker/default/default',
        filter: { filter: {} },
        target: { kind: 'url', url: 'http://agent/' },
        replyTopic: 'broker/default/default',
        deadLetter: undefined,
        delivery: {
          retry: 10,
          backoffPolicy: 'exponential',
          backoffDelayMs: 200,
          backoffMaxMs: undefined,
          retryAfterMaxMs: undefined,
          timeoutMs: 600_000,
          format: 'binary',
          ordered: false,
          concurrency: 100,
        },
        manner: 'broker',
      },
    ]);
    assert.deepEqual(notTrue(plan, 'Trigger/default/t'), []);
    assert.deepEqual(conditionTypes(plan, 'Trigger/default/t'), [
      'Ready',
      'BrokerReady',
      'SubscriptionReady',
      'DependencyReady',
      'SubscriberResolved',
      'DeadLetterSinkResolved',
      'OIDCIdentityCreated',
    ]);
  });

  test('delivers as it says, and not as its broker says', () => {
    const annotations = { 'kafka.eventing.knative.dev/delivery.order': 'ordered', 'millrace.dev/concurrency': '7' };
    const delivery = { retry: 2, backoffPolicy: 'linear', backoffDelay: 'PT1.5S', timeout: 'PT3S', format: 'json' };
    const caps = { backoffMax: 'PT1M', retryAfterMax: 'PT0S' };
    const plan = compile(
      broker('default', { delivery: { retry: 9, backoffDelay: 'PT9S' } }),
      trigger('t', { delivery: { ...delivery, ...caps } }, { annotations }),
    );
    assert.deepEqual(plan.routes[0]!.delivery, {
      retry: 2,
      backoffPolicy: 'linear',
      backoffDelayMs: 1_500,
      backoffMaxMs: 60_000,
      retryAfterMaxMs: 0,
      timeoutMs: 3_000,
      format: 'json',
      ordered: true,
      concurrency: 7,
    });
  });

  test('delivers as its broker says when it says nothing', () => {
    const plan = compile(broker('default', { delivery: { retry: 3, backoffPolicy: 'linear' } }), trigger('t'));
    const { retry, backoffPolicy, backoffDelayMs } = plan.routes[0]!.delivery;
    assert.deepEqual([retry, backoffPolicy, backoffDelayMs], [3, 'linear', 200]);
  });

  test('has the dead letter sink of its broker when it has none, also where its delivery is its own', () => {
    const withSink = broker('default', { delivery: { retry: 3, deadLetterSink: { uri: 'http://brokers-dead/' } } });
    const own = { retry: 1, deadLetterSink: { uri: 'http://own-dead/' } };
    const plan = compile(
      withSink,
      trigger('silent'),
      trigger('retries', { delivery: { retry: 1 } }),
      trigger('own', { delivery: own }),
    );
    assert.deepEqual(
      plan.routes.map(({ name, delivery, deadLetter }) => [name, delivery.retry, deadLetter]),
      [
        ['trigger/default/silent', 3, { kind: 'url', url: 'http://brokers-dead/' }],
        ['trigger/default/retries', 1, { kind: 'url', url: 'http://brokers-dead/' }],
        ['trigger/default/own', 1, { kind: 'url', url: 'http://own-dead/' }],
      ],
    );
  });

  test('whose dead letter sink is nowhere delivers without one, and says so', () => {
    const plan = compile(trigger('t', { delivery: { deadLetterSink: refTo('gone') } }));
    assert.equal(plan.routes[0]!.deadLetter, undefined);
    assert.deepEqual(notTrue(plan, 'Trigger/default/t'), [
      'Ready False NotFound',
      'DeadLetterSinkResolved False NotFound',
    ]);
  });

  test('without its broker or its subscriber is no route, and says why', () => {
    const plan = compile(
      trigger('a', { broker: 'gone' }),
      trigger('b', { subscriber: refTo('gone') }),
      trigger('c', { subscriber: { ref: { apiVersion: 'v1', kind: 'Pod', name: 'p' } } }),
    );
    assert.deepEqual(plan.routes, []);
    assert.deepEqual(notTrue(plan, 'Trigger/default/a').at(-1), 'BrokerReady False BrokerDoesNotExist');
    assert.deepEqual(notTrue(plan, 'Trigger/default/b').at(-1), 'SubscriberResolved False NotFound');
    assert.deepEqual(notTrue(plan, 'Trigger/default/c').at(-1), 'SubscriberResolved False NotSupported');
  });

  test('waits for no dependency that is there, and says which is not', () => {
    const annotations = {
      'knative.dev/dependency': JSON.stringify({
        kind: 'KafkaSource',
        name: 'k',
        apiVersion: 'sources.knative.dev/v1',
      }),
    };
    assert.deepEqual(notTrue(compile(trigger('t', {}, { annotations })), 'Trigger/default/t'), [
      'Ready False DependencyDoesNotExist',
      'DependencyReady False DependencyDoesNotExist',
    ]);
    assert.deepEqual(notTrue(compile(trigger('t', {}, { annotations }), kafkaSource('k')), 'Trigger/default/t'), []);
  });

  test('leads to a declared function, to a broker, or to what only a cluster knows', () => {
    const plan = compile(
      service('agent'),
      broker('other'),
      trigger('a', { subscriber: refTo('agent') }),
      trigger('b', { subscriber: { ref: { apiVersion: eventing, kind: 'Broker', name: 'other' } } }),
      trigger('c', { subscriber: { ref: { apiVersion: 'v1', kind: 'Service', name: 'agent' }, uri: '/in' } }),
    );
    assert.deepEqual(
      plan.routes.filter(({ key }) => key.startsWith('Trigger/')).map((it) => it.target),
      [
        { kind: 'function', workload: 'default/agent' },
        { kind: 'topic', topic: 'broker/default/other' },
        { kind: 'url', url: 'http://agent.default.svc.cluster.local/in' },
      ],
    );
  });

  test('with a filter that cannot be compiled is a fault with its path, and no route', () => {
    const plan = compile(trigger('t', { filters: [{ exact: { type: 'a' } }, { cesql: "type = 'a" }] }));
    assert.deepEqual(faultsOf(plan), ['Trigger/default/t spec.filters[1].cesql']);
    assert.ok(!plan.faults[0]!.message.startsWith('spec'), 'the path stands beside the message');
    assert.deepEqual(plan.routes, []);
  });

  test('with a concurrency that is no number of attempts is a fault with its path', () => {
    for (const said of ['0', '-1', '10001', 'many', '1.5', '']) {
      const plan = compile(trigger('t', {}, { annotations: { 'millrace.dev/concurrency': said } }));
      assert.deepEqual(faultsOf(plan), ['Trigger/default/t metadata.annotations["millrace.dev/concurrency"]'], said);
    }
  });
});

describe('a Service', () => {
  test('has a route for its asynchronous calls and one for those who want to be called back, also while it cannot run', () => {
    const broken = service('agent', {
      env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'none', key: 'k' } } }],
    });
    for (const plan of [compile(service('agent')), compile(broken)]) {
      const [calls, callbacks] = plan.routes;
      assert.deepEqual(
        [calls!.name, calls!.topic, calls!.target, calls!.replyTopic],
        [
          'call/default/agent',
          'call/default/agent',
          { kind: 'call', workload: 'default/agent' },
          'result/default/agent',
        ],
      );
      assert.deepEqual(
        [callbacks!.name, callbacks!.topic, callbacks!.target, callbacks!.replyTopic],
        ['callback/default/agent', 'result/default/agent', { kind: 'callback', workload: 'default/agent' }, undefined],
      );
      const { retry, backoffPolicy, backoffDelayMs } = calls!.delivery;
      assert.deepEqual([retry, backoffPolicy, backoffDelayMs], [10, 'exponential', 200]);
    }
  });

  test('is a workload with all defaults', () => {
    const plan = compile(service('agent', {}, { annotations: { 'millrace.dev/code': './agent.ts' } }));
    assert.deepEqual(plan.workloads, [
      {
        name: 'default/agent',
        key: 'Service/default/agent',
        namespace: 'default',
        service: 'agent',
        image: 'agent',
        code: './agent.ts',
        manifest: 'test.yaml',
        environment: {},
        secretValues: [],
        open: [],
        timeoutMs: 300_000,
        concurrency: 0,
        scaling: scalingOf(undefined),
        limits: {},
        readiness: undefined,
        liveness: undefined,
        progressDeadlineMs: undefined,
        terminationGraceMs: undefined,
        command: [],
        arguments: [],
        speaks: 'http',
        port: 8080,
        revisionName: undefined,
        traffic: [],
      },
    ]);
    assert.deepEqual(notTrue(plan, 'Service/default/agent'), []);
    assert.equal(plan.statuses.get('Service/default/agent')!.url, 'http://agent.default.svc.cluster.local');
  });

  test('gets its environment from texts, Secrets and ConfigMaps, and single variables win', () => {
    const plan = compile(
      secret('s', { KEY: 'hidden', OTHER: 'hidden too' }),
      configMap('c', { MODE: 'fast' }),
      service('agent', {
        envFrom: [{ prefix: 'S_', secretRef: { name: 's' } }, { configMapRef: { name: 'c' } }],
        env: [
          { name: 'PLAIN', value: 'text' },
          { name: 'MODE', value: 'slow' },
          { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 's', key: 'KEY' } } },
          { name: 'HOST', valueFrom: { secretKeyRef: { name: 'gone', key: 'k', optional: true } } },
        ],
      }),
    );
    const [workload] = plan.workloads;
    assert.deepEqual(workload!.environment, {
      S_KEY: 'hidden',
      S_OTHER: 'hidden too',
      MODE: 'slow',
      PLAIN: 'text',
      TOKEN: 'hidden',
    });
    assert.deepEqual(new Set(workload!.secretValues), new Set(['hidden', 'hidden too']));
    assert.deepEqual(workload!.open, ['HOST']);
  });

  const from = (valueFrom: object) => ({ env: [{ name: 'TOKEN', valueFrom }] });
  for (const [what, container, reason] of [
    ['Secret', from({ secretKeyRef: { name: 'gone', key: 'k' } }), 'SecretMissing'],
    ['key of a Secret', from({ secretKeyRef: { name: 's', key: 'gone' } }), 'SecretKeyMissing'],
    ['ConfigMap', from({ configMapKeyRef: { name: 'gone', key: 'k' } }), 'ConfigMapMissing'],
    ['Secret of envFrom', { envFrom: [{ secretRef: { name: 'gone' } }] }, 'SecretMissing'],
  ] as const) {
    test(`without a ${what} that it needs is no workload, and says so without a secret`, () => {
      const plan = compile(secret('s', { KEY: 'hidden' }), service('agent', container));
      assert.deepEqual(plan.workloads, []);
      assert.deepEqual(notTrue(plan, 'Service/default/agent'), [
        `Ready False ${reason}`,
        `ConfigurationsReady False ${reason}`,
      ]);
      assert.ok(!JSON.stringify([...plan.statuses]).includes('hidden'));
    });
  }
});

describe('a KafkaSource', () => {
  const KEY = 'KafkaSource/default/k';

  test('fills the topic of its broker, and waits for its connection', () => {
    const plan = compile(kafkaSource('k'));
    const [feed] = plan.feeds;
    assert.equal(feed!.name, 'kafkasource/default/k');
    assert.equal(feed!.topic, 'broker/default/default');
    assert.deepEqual(feed!.options, {
      namespace: 'default',
      name: 'k',
      bootstrapServers: ['kafka:9092'],
      topics: ['orders'],
      consumerGroup: 'knative-kafka-source-default-k',
      initialOffset: 'latest',
      consumers: 1,
      keyType: 'string',
      extensions: {},
      net: {},
    });
    assert.deepEqual(notTrue(plan, KEY), ['Ready Unknown Connecting', 'ConnectionEstablished Unknown Connecting']);
  });

  test('whose sink is no broker fills a topic of its own, from which an ordered route leads there', () => {
    const plan = compile(kafkaSource('k', { sink: AGENT, delivery: { deadLetterSink: { uri: 'http://dead/' } } }));
    const [route] = plan.routes;
    assert.equal(plan.feeds[0]!.topic, 'kafkasource/default/k');
    assert.equal(route!.topic, 'kafkasource/default/k');
    assert.deepEqual(route!.target, { kind: 'url', url: 'http://agent/' });
    assert.deepEqual(route!.deadLetter, { kind: 'url', url: 'http://dead/' });
    assert.equal(route!.replyTopic, undefined);
    assert.equal(route!.delivery.ordered, true);
  });

  test('has ten exponential retries from 0.3 s unless it says otherwise', () => {
    const { retry, backoffPolicy, backoffDelayMs, timeoutMs } = compile(kafkaSource('k')).routes[0]!.delivery;
    assert.deepEqual([retry, backoffPolicy, backoffDelayMs, timeoutMs], [10, 'exponential', 300, 600_000]);
  });

  const key = (name: string) => ({ secretKeyRef: { name: 'kafka', key: name } });
  const net = {
    tls: { enable: true, caCert: key('ca') },
    sasl: { enable: true, type: key('mechanism'), user: key('user'), password: key('password') },
  };
  const credentials = { ca: 'PEM', mechanism: 'SCRAM-SHA-512', user: 'me', password: 'hidden' };

  test('gets its credentials from Secrets', () => {
    const plan = compile(secret('kafka', credentials), kafkaSource('k', { net }));
    const [feed] = plan.feeds;
    assert.ok(feed?.kind === 'KafkaSource');
    assert.deepEqual(feed.options.net, {
      tls: { ca: 'PEM' },
      sasl: { mechanism: 'SCRAM-SHA-512', user: 'me', password: 'hidden' },
    });
  });

  test('without its sink, its Secret or a mechanism that we know is not started, and says why', () => {
    const unknown = secret('kafka', { ...credentials, mechanism: 'OAUTHBEARER' });
    for (const [plan, condition] of [
      [compile(kafkaSource('k', { sink: refTo('gone') })), 'SinkProvided False NotFound'],
      [compile(kafkaSource('k', { net })), 'ConnectionEstablished False SecretMissing'],
      [compile(secret('kafka', {}), kafkaSource('k', { net })), 'ConnectionEstablished False SecretKeyMissing'],
      [compile(unknown, kafkaSource('k', { net })), 'ConnectionEstablished False MechanismNotSupported'],
    ] as const) {
      assert.deepEqual(plan.feeds, []);
      assert.deepEqual(plan.routes, []);
      assert.ok(notTrue(plan, KEY).includes(condition), notTrue(plan, KEY).join(', '));
      assert.ok(!JSON.stringify([...plan.statuses]).includes('hidden'));
    }
  });

  test('whose dead letter sink is nowhere says so', () => {
    const plan = compile(kafkaSource('k', { delivery: { deadLetterSink: refTo('gone') } }));
    assert.ok(
      notTrue(plan, KEY).some((it) => it.includes('False NotFound')),
      notTrue(plan, KEY).join(', '),
    );
  });
});

describe('a WebhookSource', () => {
  const KEY = 'WebhookSource/default/w';
  const verify = { github: { secretKeyRef: { name: 'hook', key: 'secret' } } };

  test('has a path of its own, and fills the topic of its broker', () => {
    const plan = compile(webhookSource('w'));
    const [feed] = plan.feeds;
    assert.ok(feed?.kind === 'WebhookSource');
    assert.equal(feed.topic, 'broker/default/default');
    assert.equal(feed.options.path, '/webhooks/default/w');
    assert.equal(feed.options.verify, undefined);
    assert.equal(plan.statuses.get(KEY)!.url, 'http://127.0.0.1:8080/webhooks/default/w');
    assert.deepEqual(notTrue(plan, KEY), []);
  });

  test('verifies with a Secret, and is not started without it', () => {
    const [feed] = compile(secret('hook', { secret: 'hidden' }), webhookSource('w', { verify })).feeds;
    assert.ok(feed?.kind === 'WebhookSource');
    assert.deepEqual(feed.options.verify, { kind: 'github', secrets: ['hidden'], toleranceSeconds: 300 });
    const plan = compile(webhookSource('w', { verify }));
    assert.deepEqual(plan.feeds, []);
    assert.deepEqual(notTrue(plan, KEY), ['Ready False SecretMissing', 'Deployed False SecretMissing']);
  });

  test('at the path of a Broker, or of another one, is a fault', () => {
    const taken = compile(webhookSource('w', { path: '/default/default' }));
    assert.deepEqual(faultsOf(taken), [`${KEY} spec.path`]);
    assert.match(taken.faults[0]!.message, /the Broker default\/default/);
    const twice = compile(webhookSource('v', { path: '/in' }), webhookSource('w', { path: '/in' }));
    assert.deepEqual(faultsOf(twice), [`${KEY} spec.path`]);
    assert.match(twice.faults[0]!.message, /the WebhookSource default\/v/);
    assert.deepEqual(compile(webhookSource('v'), webhookSource('w')).faults, []);
  });
});

test('the same resources mean the same, and nothing is changed in them', () => {
  const text = [service('agent'), trigger('t', { subscriber: refTo('agent') }), webhookSource('w')];
  assert.deepEqual(compile(...text), compile(...text));
});
