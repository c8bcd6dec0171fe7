import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limitsOf, livenessOf, probeOf } from './container.ts';
import { faultsOf, receiptsOf, resourceOf } from './testing.ts';

const textOf = (container: object) =>
  JSON.stringify({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'agent' },
    spec: { template: { spec: { containers: [{ image: 'agent', ...container }] } } },
  });
const containerOf = (container: object) => resourceOf('Service', textOf(container)).spec.template.spec.containers[0];
const firstFault = (container: object) =>
  faultsOf(textOf(container))[0]?.replace('spec.template.spec.containers[0].', '');

describe('the limits of a container', () => {
  test('are bytes and processors', () => {
    const limits = { memory: '512Mi', cpu: '500m' };
    assert.deepEqual(limitsOf(containerOf({ resources: { limits } })), { memoryBytes: 512 * 2 ** 20, cpus: 0.5 });
  });

  test('are none where nothing, or zero, is said', () => {
    assert.deepEqual(limitsOf(undefined), {});
    assert.deepEqual(limitsOf(containerOf({ resources: { requests: { cpu: 1 } } })), {});
    assert.deepEqual(limitsOf(containerOf({ resources: { limits: { cpu: 0, memory: '0' } } })), {});
  });

  for (const [resources, message] of [
    [
      { limits: { memory: '512MB' } },
      'resources.limits.memory: invalid value: "512MB": expected bytes of zero or more, such as "512Mi" or "1Gi", got "512MB"',
    ],
    [
      { limits: { memory: '512m' } },
      'resources.limits.memory: invalid value: "512m": expected bytes of zero or more, such as "512Mi" or "1Gi", got "512m" (0.512 bytes)',
    ],
    [
      { requests: { cpu: -1 } },
      'resources.requests.cpu: invalid value: -1: expected processors of zero or more, such as "500m" or 2, got -1',
    ],
    [
      { limits: { 'nvidia.com/gpu': 'one' } },
      'resources.limits["nvidia.com/gpu"]: invalid value: "one": expected a quantity of zero or more, such as "512Mi", "500m" or 2, got "one"',
    ],
    [
      { limits: { memory: '1G' }, requests: { memory: '1Gi' } },
      'resources.requests.memory: must be less than or equal to memory limit of 1G: expected at most limits.memory, 1G, got "1Gi"',
    ],
  ] as const) {
    test(`are refused as ${JSON.stringify(resources)}`, () => assert.equal(firstFault({ resources }), message));
  }
});

describe('the probes of a container', () => {
  test("have Kubernetes' defaults", () => {
    assert.deepEqual(probeOf(containerOf({ readinessProbe: { httpGet: { path: '/ready' } } })), {
      check: { kind: 'http', path: '/ready', headers: {} },
      initialDelayMs: 0,
      periodMs: 10_000,
      timeoutMs: 1000,
      successes: 1,
      failures: 3,
    });
    assert.equal(probeOf(containerOf({})), undefined);
    assert.equal(livenessOf(containerOf({})), undefined);
  });

  test('may say everything', () => {
    const probe = {
      initialDelaySeconds: 1,
      periodSeconds: 2,
      timeoutSeconds: 3,
      successThreshold: 4,
      failureThreshold: 5,
      terminationGracePeriodSeconds: 6,
    };
    const headers = [{ name: 'X-Probe', value: 'yes' }];
    const httpGet = { path: 'ready', port: 'http1', scheme: 'HTTP', host: 'localhost', httpHeaders: headers };
    assert.deepEqual(probeOf(containerOf({ readinessProbe: { httpGet, ...probe } })), {
      check: { kind: 'http', path: '/ready', headers: { 'x-probe': 'yes' } },
      initialDelayMs: 1000,
      periodMs: 2000,
      timeoutMs: 3000,
      successes: 4,
      failures: 5,
    });
  });

  test('without a check connect, as in Serving, and may ask for no pause', () => {
    const readiness = probeOf(containerOf({ readinessProbe: { periodSeconds: 0 } }));
    assert.deepEqual([readiness?.check, readiness?.periodMs], [{ kind: 'tcp' }, 10_000]);
  });

  test('may run a command', () => {
    const liveness = livenessOf(containerOf({ livenessProbe: { exec: { command: ['test', '-e', 'up'] } } }));
    assert.deepEqual(liveness?.check, { kind: 'exec', command: ['test', '-e', 'up'] });
  });

  for (const [container, pattern] of [
    [{ readinessProbe: { grpc: { port: 1 } } }, /^readinessProbe.grpc: grpc probes cannot be run here/],
    [
      { readinessProbe: { tcpSocket: {}, exec: { command: ['a'] } } },
      /^readinessProbe: expected exactly one, got both/,
    ],
    [{ readinessProbe: { exec: { command: [] } } }, /^readinessProbe.exec.command: .*a list of texts/],
    [{ readinessProbe: { httpGet: { port: 70_000 } } }, /^readinessProbe.httpGet.port: .*a port.*got 70000/],
    [{ readinessProbe: { httpGet: { httpHeaders: [{ name: 'a b', value: '' }] } } }, /httpHeaders\[0\].name: /],
    [
      { readinessProbe: { periodSeconds: 0, failureThreshold: 3 } },
      /failureThreshold is disallowed when periodSeconds/,
    ],
    [{ readinessProbe: { httpGet: { scheme: 'ftp' } } }, /scheme: .*HTTP or HTTPS/],
    [{ readinessProbe: { periodSecond: 1 } }, /unknown field "readinessProbe.periodSecond"|unknown field/],
    [{ livenessProbe: {} }, /^livenessProbe: expected exactly one, got neither/],
    [{ livenessProbe: { tcpSocket: {}, successThreshold: 2 } }, /^livenessProbe.successThreshold: must be 1/],
  ] as const) {
    test(`are refused as ${JSON.stringify(container)}`, () => assert.match(firstFault(container) ?? '', pattern));
  }

  test('are kept with a receipt where they are not run as they say', () => {
    const startupProbe = { exec: { command: ['true'] } };
    const readinessProbe = { httpGet: { scheme: 'HTTPS' } };
    assert.deepEqual(containerOf({ startupProbe })?.startupProbe, startupProbe);
    assert.match(receiptsOf(textOf({ startupProbe })).join(), /startupProbe is not run here/);
    assert.match(receiptsOf(textOf({ readinessProbe })).join(), /HTTPS is probed over HTTP/);
  });
});
