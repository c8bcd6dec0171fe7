import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { formatFault, readManifest } from '@millrace/resources/manifest';

import { compilePlan } from './compile.ts';
import { graphOf } from './graph.ts';
import type { Graph } from './graph.ts';

const FLOWS = 'flows.knative.dev/v1';
const OURS = 'flows.millrace.dev/v1alpha1';
const MESSAGING = 'messaging.knative.dev/v1';
const EVENTING = 'eventing.knative.dev/v1';
const TEMPLATE = { apiVersion: MESSAGING, kind: 'InMemoryChannel' };

function said(apiVersion: string, kind: string, name: string, spec: object, annotations: object = {}): string {
  return `---\n${JSON.stringify({ apiVersion, kind, metadata: { name, annotations }, spec })}\n`;
}
const at = (host: string) => ({ uri: `http://${host}/` });
const ref = (apiVersion: string, kind: string, name: string) => ({ ref: { apiVersion, kind, name } });
const BROKER = ref(EVENTING, 'Broker', 'default');
const service = (name: string) =>
  said('serving.knative.dev/v1', 'Service', name, { template: { spec: { containers: [{ image: 'agent' }] } } });

function graph(...documents: string[]): Graph {
  const { declared, faults } = readManifest(documents.join(''), 'test.yaml');
  assert.deepEqual(faults.map(formatFault), []);
  return graphOf(compilePlan(declared, 'http://127.0.0.1:8080'));
}

/** `from -> to (label)`. */
function edges({ edges: all }: Graph): string[] {
  return all.map(({ from, to, label }) => `${from} -> ${to}${label === undefined ? '' : ` (${label})`}`);
}

function nodes({ nodes: all }: Graph): string[] {
  return all.map(({ kind, label, flow }) => `${kind} ${label}${flow === undefined ? '' : ` in ${flow}`}`);
}

describe('the graph of a plan', () => {
  test('of nothing is the default broker', () => {
    assert.deepEqual(graph(), {
      nodes: [{ id: 'broker/default/default', kind: 'broker', label: 'default/default' }],
      edges: [],
    });
  });

  test('leads from a broker by a Trigger to its function, and back with replies', () => {
    const filters = [{ any: [{ exact: { type: 'a' } }, { not: { prefix: { source: '/x' } } }] }];
    const delivery = { deadLetterSink: at('dead') };
    const drawn = graph(
      said(EVENTING, 'Trigger', 't', {
        broker: 'default',
        filters,
        delivery,
        subscriber: ref('serving.knative.dev/v1', 'Service', 'agent'),
      }),
      service('agent'),
    );
    assert.deepEqual(edges(drawn), [
      'broker/default/default -> trigger/default/t ((type = a or not source begins with /x))',
      'trigger/default/t -> function/default/agent',
      'trigger/default/t -> http://dead/ (dead letter)',
      'trigger/default/t -> broker/default/default (reply)',
    ]);
    assert.deepEqual(nodes(drawn), [
      'broker default/default',
      'trigger default/t',
      'function default/agent',
      'url http://dead/',
    ]);
  });

  test('leads through the steps of a Sequence to its outcome; others lead to the Sequence as a whole', () => {
    const drawn = graph(
      said(FLOWS, 'Sequence', 's', { channelTemplate: TEMPLATE, steps: [at('one'), at('two')], reply: BROKER }),
      said(EVENTING, 'Trigger', 't', { broker: 'default', subscriber: ref(FLOWS, 'Sequence', 's') }),
    );
    assert.deepEqual(edges(drawn), [
      'sequence/default/s -> sequence/default/s/one',
      'sequence/default/s/one -> http://one/',
      'sequence/default/s/one -> sequence/default/s/two (reply)',
      'sequence/default/s/two -> http://two/',
      'sequence/default/s/two -> results/sequence/default/s (reply)',
      'results/sequence/default/s -> broker/default/default (reply)',
      'broker/default/default -> trigger/default/t',
      'trigger/default/t -> sequence/default/s',
      'trigger/default/t -> broker/default/default (reply)',
    ]);
    assert.deepEqual(nodes(drawn).slice(0, 5), [
      'sequence default/s',
      'broker default/default',
      'step one in sequence/default/s',
      'step two in sequence/default/s',
      'outcome  in sequence/default/s',
    ]);
  });

  test('leads through filters and branches of a Parallel to its join', () => {
    const branches = [
      { filters: [{ exact: { type: 'a' } }], subscriber: at('a') },
      { filter: at('sieve'), subscriber: at('b') },
    ];
    const drawn = graph(
      said(FLOWS, 'Parallel', 'p', { channelTemplate: TEMPLATE, branches }, { 'millrace.dev/join': 'first' }),
    );
    assert.deepEqual(edges(drawn), [
      'parallel/default/p -> parallel/default/p/a (type = a)',
      'parallel/default/p/a -> http://a/',
      'parallel/default/p/a -> parallel/default/p#join (reply)',
      'parallel/default/p -> parallel/default/p/b/filter',
      'parallel/default/p/b/filter -> http://sieve/',
      'parallel/default/p/b/filter -> parallel/default/p/b (reply)',
      'parallel/default/p/b -> http://b/',
      'parallel/default/p/b -> parallel/default/p#join (reply)',
      'parallel/default/p#join -> results/parallel/default/p (reply)',
    ]);
    assert.ok(nodes(drawn).includes('join first in parallel/default/p'));
  });

  test('leads from a branch without a join straight to where its replies go', () => {
    const drawn = graph(
      said(FLOWS, 'Parallel', 'p', { channelTemplate: TEMPLATE, branches: [{ subscriber: at('a'), reply: at('r') }] }),
    );
    assert.deepEqual(edges(drawn), [
      'parallel/default/p -> parallel/default/p/a',
      'parallel/default/p/a -> http://a/',
      'parallel/default/p/a -> http://r/ (reply)',
    ]);
  });

  test('says of the ways of a Choice only what each asks itself', () => {
    const drawn = graph(
      said(OURS, 'Choice', 'c', {
        choices: [
          { filters: [{ exact: { type: 'a' } }], subscriber: at('a') },
          { filters: [{ cesql: 'amount\n  > 1' }], subscriber: at('b') },
        ],
        default: { subscriber: at('d') },
      }),
    );
    assert.deepEqual(
      drawn.edges.filter(({ from }) => from === 'choice/default/c').map(({ label }) => label),
      ['type = a', 'amount > 1', 'otherwise'],
    );
    assert.equal(drawn.nodes.filter(({ kind }) => kind === 'outcome').length, 1);
  });

  test('leads from a Map to what takes its items', () => {
    const drawn = graph(said(OURS, 'Map', 'm', { itemsPath: '$', subscriber: at('a'), reply: at('r') }));
    assert.deepEqual(edges(drawn), [
      'map/default/m -> items/map/default/m (each item)',
      'map/default/m -> results/map/default/m (reply)',
      'items/map/default/m -> http://a/',
      'results/map/default/m -> http://r/ (reply)',
    ]);
  });

  test('has channels, transforms, sources, and doors that wait for replies', () => {
    const channel = { apiVersion: MESSAGING, kind: 'InMemoryChannel', name: 'c' };
    const drawn = graph(
      said(MESSAGING, 'InMemoryChannel', 'c', {}),
      said(MESSAGING, 'Subscription', 's', {
        channel,
        subscriber: ref('eventing.knative.dev/v1alpha1', 'EventTransform', 'x'),
        reply: at('replied'),
      }),
      said('eventing.knative.dev/v1alpha1', 'EventTransform', 'x', { jsonata: { expression: '$' }, sink: BROKER }),
      said('eventing.knative.dev/v1alpha1', 'RequestReply', 'r', { brokerRef: { kind: 'Broker', name: 'default' } }),
      said('sources.millrace.dev/v1alpha1', 'WebhookSource', 'w', { sink: { ref: channel } }),
    );
    assert.deepEqual(edges(drawn), [
      'webhooksource/default/w -> channel/default/c',
      'requestreply/default/r -> broker/default/default',
      'channel/default/c -> subscription/default/s',
      'subscription/default/s -> transform/default/x',
      'subscription/default/s -> http://replied/ (reply)',
      'broker/default/default -> requestreply/default/r (EXISTS replyid)',
      'transform/default/x -> broker/default/default',
    ]);
  });

  test('leads from a broker that holds events against schemas to where those go that do not match', () => {
    const drawn = graph(
      said(
        EVENTING,
        'Broker',
        'shop',
        { delivery: { deadLetterSink: at('dead') } },
        {
          'millrace.dev/schema-validation': 'dead-letter',
        },
      ),
    );
    assert.deepEqual(edges(drawn), ['broker/default/shop -> http://dead/ (does not match its schema)']);
    assert.deepEqual(nodes(drawn), ['broker default/shop', 'broker default/default', 'url http://dead/']);
  });

  test('shows what is missing, and no credentials', () => {
    const gone = ref('serving.knative.dev/v1', 'Service', 'gone');
    const steps = [{ uri: 'http://ada:secret@one/' }, gone];
    const drawn = graph(said(FLOWS, 'Sequence', 's', { channelTemplate: TEMPLATE, steps }));
    assert.ok(nodes(drawn).includes('missing the Service default/gone is not declared'));
    assert.doesNotMatch(JSON.stringify(drawn), /ada|secret/);
  });

  test('holds a function that nothing leads to, and none of the ways by which functions are called from outside', () => {
    const drawn = graph(service('lonely'));
    assert.deepEqual(nodes(drawn), ['broker default/default', 'function default/lonely']);
    assert.deepEqual(drawn.edges, []);
  });

  test('has only edges between its nodes', () => {
    const circle = (name: string, to: string) =>
      said(OURS, 'Choice', name, {
        choices: [{ filters: [{ exact: { type: 'a' } }], subscriber: ref(OURS, 'Choice', to) }],
        reply: ref(OURS, 'Choice', to),
      });
    const drawn = graph(circle('a', 'b'), circle('b', 'a'));
    const ids = new Set(drawn.nodes.map(({ id }) => id));
    assert.deepEqual(
      drawn.edges.filter(({ from, to }) => !ids.has(from) || !ids.has(to)),
      [],
    );
    assert.ok(edges(drawn).includes('results/choice/default/b -> choice/default/a (reply)'));
  });
});
