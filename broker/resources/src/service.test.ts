import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { progressDeadlineOf } from './progress-deadline.ts';
import { faultPathsOf, faultsOf, receiptsOf, resourceOf } from './testing.ts';

const IMAGE = { image: 'agent:latest' };

const serviceText = (revision: object, metadata: object = {}) =>
  JSON.stringify({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'agent', ...metadata },
    spec: { template: { spec: revision } },
  });

const withContainer = (container: object) => serviceText({ containers: [{ ...IMAGE, ...container }] });

describe('a service', () => {
  test('has no limit of concurrency and 300 seconds unless said', () => {
    const { spec } = resourceOf('Service', serviceText({ containers: [IMAGE] }));
    assert.deepEqual(spec.template.spec, { containers: [IMAGE], containerConcurrency: 0, timeoutSeconds: 300 });
    const zero = resourceOf('Service', serviceText({ containers: [IMAGE], timeoutSeconds: 0 }));
    assert.equal(zero.spec.template.spec.timeoutSeconds, 300);
  });

  test('may say all that a pod may, and Kubernetes checks its own', () => {
    const revision = {
      containers: [
        {
          ...IMAGE,
          name: 'agent',
          imagePullPolicy: 'IfNotPresent',
          command: ['node'],
          args: ['agent.js'],
          workingDir: '/srv',
          env: [
            { name: 'MODEL', value: 'small' },
            { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'one', optional: true } } },
            { name: 'URL', valueFrom: { configMapKeyRef: { name: 'urls', key: 'one' } } },
            { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          ],
          envFrom: [{ prefix: 'A_', secretRef: { name: 'keys' } }, { configMapRef: { name: 'urls' } }],
          ports: [{ containerPort: 8080, name: 'h2c', protocol: 'TCP' }],
          resources: { requests: { cpu: 0.25, memory: '256Mi' }, limits: { cpu: '500m' } },
          readinessProbe: { httpGet: { path: '/', port: 'http' } },
          livenessProbe: { tcpSocket: { port: 8080 } },
          securityContext: { runAsNonRoot: true },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      initContainers: [IMAGE],
      containerConcurrency: 10,
      timeoutSeconds: 600,
      responseStartTimeoutSeconds: 60,
      idleTimeoutSeconds: 30,
      serviceAccountName: 'agent',
      enableServiceLinks: false,
      imagePullSecrets: [{ name: 'registry' }],
      volumes: [{ name: 'data', emptyDir: {} }],
      nodeSelector: { gpu: 'true' },
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
    };
    assert.deepEqual(resourceOf('Service', serviceText(revision)).spec.template.spec, revision);
    assert.deepEqual(receiptsOf(serviceText(revision)), []);
  });

  test('reads numbers and booleans in its environment as texts', () => {
    const text = withContainer({
      env: [
        { name: 'A', value: 5 },
        { name: 'B', value: true },
        { name: 'C', value: null },
      ],
    });
    const [container] = resourceOf('Service', text).spec.template.spec.containers;
    assert.deepEqual(container?.env, [{ name: 'A', value: '5' }, { name: 'B', value: 'true' }, { name: 'C' }]);
    assert.equal(receiptsOf(text).length, 2);
  });

  const at = 'spec.template.spec';
  for (const [what, text, path] of [
    ['no containers', serviceText({}), `${at}.containers`],
    ['an empty list of containers', serviceText({ containers: [] }), `${at}.containers`],
    ['no image', serviceText({ containers: [{}] }), `${at}.containers[0].image`],
    ['several containers without a port', serviceText({ containers: [IMAGE, IMAGE] }), `${at}.containers`],
    ['two ports', withContainer({ ports: [{ containerPort: 1 }, { containerPort: 2 }] }), `${at}.containers[0].ports`],
    ['port 0', withContainer({ ports: [{ containerPort: 0 }] }), `${at}.containers[0].ports[0].containerPort`],
    ['an unknown field', withContainer({ enviroment: [] }), `${at}.containers[0].enviroment`],
    ['env without a name', withContainer({ env: [{ value: 'a' }] }), `${at}.containers[0].env[0].name`],
    [
      'an empty valueFrom',
      withContainer({ env: [{ name: 'A', valueFrom: {} }] }),
      `${at}.containers[0].env[0].valueFrom`,
    ],
    [
      'a value twice',
      withContainer({ env: [{ name: 'A', value: 'a', valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } }] }),
      `${at}.containers[0].env[0].valueFrom`,
    ],
    [
      'a concurrency above 1000',
      serviceText({ containers: [IMAGE], containerConcurrency: 1001 }),
      `${at}.containerConcurrency`,
    ],
    ['a timeout above 600', serviceText({ containers: [IMAGE], timeoutSeconds: 601 }), `${at}.timeoutSeconds`],
    [
      'an idle timeout above the timeout',
      serviceText({ containers: [IMAGE], idleTimeoutSeconds: 301 }),
      `${at}.idleTimeoutSeconds`,
    ],
    ['a name that is no host name', serviceText({ containers: [IMAGE] }, { name: '1-agent' }), 'metadata.name'],
  ] as const) {
    test(`may not have ${what}`, () => assert.deepEqual(faultPathsOf(text), [path]));
  }

  const withTraffic = (traffic: object[], name?: string) =>
    JSON.stringify({
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: { name: 'agent' },
      spec: {
        template: { ...(name === undefined ? {} : { metadata: { name } }), spec: { containers: [IMAGE] } },
        traffic,
      },
    });

  test('may split its traffic by percent and by tag', () => {
    for (const traffic of [
      [{ latestRevision: true, percent: 100 }],
      [
        { revisionName: 'agent-00001', percent: 10, tag: 'old' },
        { percent: 90, tag: 'new' },
      ],
      [
        { latestRevision: true, percent: 100 },
        { revisionName: 'agent-a', latestRevision: false, tag: 'a' },
      ],
      [{ latestRevision: true }],
    ]) {
      assert.deepEqual(resourceOf('Service', withTraffic(traffic, 'agent-a')).spec.traffic, traffic);
    }
  });

  for (const [what, traffic, expected] of [
    ['parts that are less than all', [{ percent: 90 }], /^spec\.traffic: Traffic targets sum to 90, want 100: /],
    ['parts that are more than all', [{ percent: 90 }, { percent: 20 }], /sum to 110, want 100/],
    [
      'a named revision that is the latest, too',
      [{ revisionName: 'agent-1', latestRevision: true, percent: 100 }],
      /^spec\.traffic\[0\]\.latestRevision: may not set revisionName "agent-1" when latestRevision is true: /,
    ],
    [
      'a revision that is neither named nor the latest',
      [{ latestRevision: false, percent: 100 }],
      /may not set revisionName "" when latestRevision is false: .*got neither$/,
    ],
    [
      'one tag twice',
      [
        { percent: 100, tag: 'a' },
        { percent: 0, tag: 'b' },
        { revisionName: 'agent-1', tag: 'a' },
      ],
      /^spec\.traffic\[2\]\.tag: Multiple definitions for "a": expected a tag of its own, got "a" of spec\.traffic\[0\] again$/,
    ],
    ['a tag that is no host name', [{ percent: 100, tag: 'A.b' }], /^spec\.traffic\[0\]\.tag: .*a DNS 1035 label/],
    [
      'another configuration',
      [{ configurationName: 'x', percent: 100 }],
      /must not set the field\(s\): spec\.traffic\[0\]\.conf/,
    ],
  ] as const) {
    test(`may not have in its traffic ${what}`, () => {
      const faults = faultsOf(withTraffic([...traffic]));
      assert.equal(faults.length, 1, faults.join('\n'));
      assert.match(faults[0]!, expected);
    });
  }

  test('may not name a revision as if it were another service', () => {
    assert.match(faultsOf(withTraffic([], 'other-1')).join(), /"other-1" must have prefix "agent-"/);
  });

  test('may not carry scaling annotations itself: nothing would come of them', () => {
    const key = 'autoscaling.knative.dev/min-scale';
    const [fault] = faultsOf(serviceText({ containers: [IMAGE] }, { annotations: { [key]: '1' } }));
    assert.match(fault ?? '', /autoscaling annotations must be put under "spec.template.metadata.annotations" to work/);
  });

  test('may say how long an instance may take to become ready', () => {
    const text = (deadline: string) =>
      JSON.stringify({
        apiVersion: 'serving.knative.dev/v1',
        kind: 'Service',
        metadata: { name: 'agent' },
        spec: {
          template: {
            metadata: { annotations: { 'serving.knative.dev/progress-deadline': deadline } },
            spec: { containers: [IMAGE] },
          },
        },
      });
    const { template } = resourceOf('Service', text('2m30s')).spec;
    assert.equal(progressDeadlineOf(template.metadata?.annotations), 150_000);
    assert.equal(progressDeadlineOf(undefined), undefined);
    for (const wrong of ['0s', '1.5s', 'soon']) {
      assert.match(
        faultsOf(text(wrong))[0] ?? '',
        /progress-deadline"\]: .*a duration of whole seconds, more than zero/,
      );
    }
  });
});
