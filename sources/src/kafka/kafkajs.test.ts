import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';

import kafkajs from 'kafkajs';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

import { KafkaFailure } from './client.ts';
import { explain } from './kafkajs-failure.ts';
import { mendKafkajs } from './kafkajs-mend.ts';
import type { RequestQueueState } from './kafkajs-mend.ts';
import { checkVersions } from './kafkajs-prepare.ts';

describe('the request queue of kafkajs, mended', () => {
  type Queue = RequestQueueState & {
    throttledUntil: number;
    push(request: {
      entry: { correlationId: number; resolve: () => void };
      expectResponse: boolean;
      sendRequest: () => void;
    }): void;
    checkPendingRequests(): void;
    destroy(): void;
  };
  const queue = () => {
    mendKafkajs();
    return new RequestQueue({ logger: { debug() {} }, maxInFlightRequests: null, requestTimeout: 1000 }) as Queue;
  };

  test('sets no timer while nothing waits', () => {
    const timers = mock.method(globalThis, 'setTimeout');
    const idle = queue();
    try {
      idle.checkPendingRequests();
      idle.push({ entry: { correlationId: 1, resolve() {} }, expectResponse: false, sendRequest() {} });
      idle.checkPendingRequests();
      assert.equal(timers.mock.callCount(), 0);
    } finally {
      timers.mock.restore();
      idle.destroy();
    }
  });

  test('sends what was throttled when the throttle ends, not before', async () => {
    const throttled = queue();
    try {
      throttled.throttledUntil = Date.now() + 50;
      const sentAt = await new Promise<number>((resolve) => {
        const sendRequest = () => resolve(Date.now());
        throttled.push({ entry: { correlationId: 1, resolve() {} }, expectResponse: false, sendRequest });
      });
      assert.ok(sentAt >= throttled.throttledUntil);
    } finally {
      throttled.destroy();
    }
  });
});

describe('the check of versions', () => {
  const versions = (changes: Record<number, { minVersion: number; maxVersion: number } | undefined> = {}) => ({
    ...Object.fromEntries([1, 2, 3, 8, 9, 10, 11, 12, 13, 14].map((key) => [key, { minVersion: 0, maxVersion: 20 }])),
    ...changes,
  });

  test('passes a broker that speaks what we speak', () => {
    checkVersions(versions());
    checkVersions(versions({ 1: { minVersion: 11, maxVersion: 30 } }));
  });

  for (const [what, changes, message] of [
    [
      'has dropped our versions',
      { 1: { minVersion: 12, maxVersion: 30 } },
      /Fetch .* we speak 0 to 11, it speaks 12 to 30/,
    ],
    ['has never had a request', { 14: undefined }, /SyncGroup .* it does not know it/],
  ] as const) {
    test(`refuses one that ${what}`, () => {
      assert.throws(
        () => checkVersions(versions(changes)),
        (error) => error instanceof KafkaFailure && error.reason === 'UnsupportedBroker' && message.test(error.message),
      );
    });
  }
});

describe('an error of kafkajs is explained:', () => {
  const sasl = { mechanism: 'PLAIN', user: 'ann', password: 'canary' } as const;
  const cluster = { bootstrapServers: ['kafka:9092'], clientId: 'c', sasl };
  const subscription = { group: 'g', topics: ['orders'], initialOffset: 'latest', concurrency: 1 } as const;
  const retries = { retryCount: 1, retryTime: 1 };
  const typed = (type: string) => Object.assign(new Error('from the broker'), { name: 'KafkaJSProtocolError', type });
  const cases: [error: unknown, reason: string, message: RegExp][] = [
    [
      new kafkajs.KafkaJSNumberOfRetriesExceeded(
        new kafkajs.KafkaJSConnectionError('Connection error: x', { broker: 'b-1:9092', code: 'ENOTFOUND' }),
        retries,
      ),
      'ConnectionFailed',
      /b-1:9092, an address that the cluster advertises,: ENOTFOUND; .* alias of "b-1:9092"/,
    ],
    [
      Object.assign(new Error('canary'), { name: 'KafkaJSSASLAuthenticationError' }),
      'AuthenticationFailed',
      /user ann by PLAIN/,
    ],
    [typed('GROUP_AUTHORIZATION_FAILED'), 'NotAuthorized', /read on the topics orders and on the group g/],
    [typed('UNKNOWN_TOPIC_OR_PARTITION'), 'TopicNotFound', /orders/],
    [
      Object.assign(new Error('LZ4 compression not implemented'), { name: 'KafkaJSNotImplemented' }),
      'UnsupportedCompression',
      /LZ4 .* gzip, zstd/,
    ],
    [new Error('odd'), 'ConsumerFailed', /reading from kafka:9092 failed: odd/],
    ['no error', 'ConsumerFailed', /no error/],
    [new KafkaFailure('UnsupportedBroker', 'as it is'), 'UnsupportedBroker', /^as it is$/],
  ];
  for (const [error, reason, message] of cases) {
    test(reason, () => {
      const failure = explain(error, cluster, subscription);
      assert.equal(failure.reason, reason);
      assert.match(failure.message, message);
      assert.doesNotMatch(failure.message, /canary/);
    });
  }
});
