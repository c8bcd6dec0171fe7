import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { readManifest } from '@millrace/resources/manifest';

import { compilePlan } from './compile.ts';
import type { Authentication } from './security.ts';
import { audienceOf, identityOf } from './security.ts';

const FLOW = `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: default }
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: agent }
spec: { broker: default, subscriber: { uri: "http://127.0.0.1:1/" } }
---
apiVersion: messaging.knative.dev/v1
kind: Channel
metadata: { name: c }
---
apiVersion: flows.knative.dev/v1
kind: Sequence
metadata: { name: two }
spec: { steps: [{ uri: "http://127.0.0.1:1/" }, { uri: "http://127.0.0.1:1/" }] }
---
apiVersion: sources.millrace.dev/v1alpha1
kind: WebhookSource
metadata: { name: hook }
spec: { path: /hook, sink: { ref: { apiVersion: eventing.knative.dev/v1, kind: Broker, name: default } } }
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: f }
spec: { template: { spec: { containers: [{ image: f }] } } }
`;

const policy = (name: string, spec: object) =>
  `---\n${JSON.stringify({ apiVersion: 'eventing.knative.dev/v1alpha1', kind: 'EventPolicy', metadata: { name }, spec })}\n`;

function planOf(text: string, authentication?: Authentication) {
  const { declared, faults } = readManifest(text, 'test.yaml');
  assert.deepEqual(faults, []);
  return compilePlan(declared, 'http://here', { authentication });
}

describe('who a resource is when it sends', () => {
  const names: readonly [key: string, serviceAccount: string][] = [
    ['Trigger/default/agent', 'agent-oidc-eventing.knative.dev-trigger'],
    ['KafkaSource/team/Orders', 'orders-oidc-sources.knative.dev-kafkasource'],
    // Longer than a label may be: a hash in place of what does not fit.
    [`Subscription/default/${'a'.repeat(60)}`, 'a'.repeat(31)],
  ];
  for (const [key, serviceAccount] of names) {
    test(`${key} is a ServiceAccount of its namespace`, () => {
      const identity = identityOf(key);
      assert.equal(identity.namespace, key.split('/')[1]);
      assert.ok(identity.serviceAccount.startsWith(serviceAccount), identity.serviceAccount);
      assert.ok(identity.serviceAccount.length <= 63);
    });
  }

  test('is told of what sends, and of nothing else', () => {
    const { statuses, routes } = planOf(FLOW, {});
    const told = [...statuses].filter(([, it]) => it.details?.['auth'] !== undefined).map(([key]) => key);
    assert.deepEqual(told.toSorted(), ['Sequence/default/two', 'Trigger/default/agent', 'WebhookSource/default/hook']);
    assert.ok(routes.every(({ key, identity }) => (identity === undefined) === key.startsWith('Service/')));
  });
});

describe('what is protected', () => {
  test('is each address that takes events, under its audience', () => {
    const { protections } = planOf(FLOW, {});
    assert.deepEqual(
      protections.map(({ path, audience }) => [path, audience]),
      [
        ['/default/default', 'eventing.knative.dev/broker/default/default'],
        ['/channels/default/c', 'messaging.knative.dev/channel/default/c'],
        ['/flows/sequence/default/two', 'flows.knative.dev/sequence/default/two'],
        // Told of under names of their own, though the flow has made them.
        ['/channels/default/two-kn-sequence-0', 'messaging.knative.dev/inmemorychannel/default/two-kn-sequence-0'],
        ['/channels/default/two-kn-sequence-1', 'messaging.knative.dev/inmemorychannel/default/two-kn-sequence-1'],
      ],
    );
    assert.equal(audienceOf({ kind: 'JobSink', namespace: 'Team', name: 'A' }).endsWith('/jobsink/team/a'), true);
  });

  test('is nothing where nobody is asked who he is, and the plan is the same as without', () => {
    const plan = planOf(FLOW);
    assert.deepEqual(plan.protections, []);
    assert.ok(plan.routes.every((it) => !('identity' in it)));
    assert.ok([...plan.statuses.values()].every((it) => it.audience === undefined));
  });

  test('has the policies that are for it, with the subjects of what they refer to', () => {
    const ref = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', name: 'agent' };
    const to = [{ ref: { apiVersion: 'messaging.knative.dev/v1', kind: 'Channel', name: 'c' } }];
    const { protections } = planOf(
      FLOW + policy('b', { to, from: [{ ref }, { sub: 'x*' }] }) + policy('a', { filters: [{ exact: { type: 'a' } }] }),
      { mode: 'deny-all' },
    );
    const channel = protections.find((it) => it.key === 'Channel/default/c')!;
    const subjects = ['system:serviceaccount:default:agent-oidc-eventing.knative.dev-trigger', 'x*'];
    assert.deepEqual(channel.policies, [
      { name: 'a', subjects: [], filters: [{ exact: { type: 'a' } }] },
      { name: 'b', subjects, filters: [] },
    ]);
    assert.equal(channel.mode, 'deny-all');
    assert.deepEqual(
      protections.find((it) => it.key === 'Broker/default/default')!.policies.map(({ name }) => name),
      ['a'],
    );
  });

  test('a filter of a policy that does not compile is a fault of the policy', () => {
    const { faults } = planOf(policy('a', { filters: [{ cesql: 'type =' }] }));
    assert.deepEqual(
      faults.map(({ key, path }) => [key, path]),
      [['EventPolicy/default/a', 'spec.filters[0].cesql']],
    );
  });

  test('a reference to a kind of another group is not resolved', () => {
    const ref = { apiVersion: 'example.com/v1', kind: 'Trigger', name: 'agent' };
    const { statuses } = planOf(FLOW + policy('a', { from: [{ ref }] }), {});
    const { conditions, details } = statuses.get('EventPolicy/default/a')!;
    assert.deepEqual(
      conditions.map(({ type, status }) => [type, status]),
      [
        ['Ready', 'False'],
        ['AuthenticationEnabled', 'True'],
        ['SubjectsResolved', 'False'],
      ],
    );
    assert.deepEqual(details, { from: [] });
  });
});
