import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deliveryNumbers } from './delivery.ts';
import { faultPathsOf, faultsOf, resourceOf, triggerText } from './testing.ts';

describe('a delivery', () => {
  test('in numbers is milliseconds and what was said', () => {
    const delivery = {
      deadLetterSink: { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'dead' } },
      retry: 3,
      timeout: 'PT1M',
      backoffPolicy: 'linear',
      backoffDelay: 'PT0.2S',
      backoffMax: 'PT10S',
      retryAfterMax: 'PT0S',
      format: 'json',
    };
    const { spec } = resourceOf('Trigger', triggerText({ delivery }));
    assert.deepEqual(deliveryNumbers(spec.delivery), {
      deadLetterSink: { ref: { ...delivery.deadLetterSink.ref, namespace: 'default' } },
      retry: 3,
      timeoutMs: 60_000,
      backoffPolicy: 'linear',
      backoffDelayMs: 200,
      backoffMaxMs: 10_000,
      retryAfterMaxMs: 0,
      format: 'json',
    });
  });

  test('of which nothing was said is not retried, in binary mode', () => {
    assert.deepEqual(deliveryNumbers(undefined), { retry: 0, format: 'binary' });
    assert.deepEqual(deliveryNumbers({}), { retry: 0, format: 'binary' });
  });

  for (const [field, values] of Object.entries({
    retry: [0, 2_147_483_647],
    timeout: ['PT0.001S', 'P1D'],
    backoffDelay: ['PT0S', 'P1Y'],
    backoffMax: ['PT1S'],
    retryAfterMax: ['PT0S', 'PT1H'],
    format: ['json', 'binary'],
  })) {
    test(`may have ${field} ${values.join(' or ')}`, () => {
      for (const value of values) assert.deepEqual(faultsOf(triggerText({ delivery: { [field]: value } })), []);
    });
  }

  for (const [field, values] of Object.entries({
    retry: [-1, 1.5, '3', 2_147_483_648, true],
    timeout: ['PT0S', '-PT1S', '5s', '', 5],
    backoffPolicy: ['Linear', 'constant', 1],
    backoffDelay: ['-PT1S', '200ms', ''],
    backoffMax: ['PT0S', '1m'],
    retryAfterMax: ['-PT1S', 'P'],
    format: ['xml'],
    deadLetterSink: [{}, 'http://x', { uri: 'x' }],
  })) {
    for (const value of values) {
      test(`may not have ${field} ${JSON.stringify(value)}`, () => {
        const paths = faultPathsOf(triggerText({ delivery: { [field]: value } }));
        assert.equal(paths.length, 1);
        assert.ok(paths[0]?.startsWith(`spec.delivery.${field}`));
      });
    }
  }
});
