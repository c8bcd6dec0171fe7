import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readManifest } from './manifest.ts';
import { faultsOf, receiptsOf, resourceOf, triggerText } from './testing.ts';

const withSubscriber = (subscriber: unknown, metadata?: object) => triggerText({ subscriber }, metadata);
const SERVICE = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'agent' };

describe('a destination', () => {
  test('is a reference, whose namespace is that of the resource unless said', () => {
    const there = withSubscriber({ ref: SERVICE }, { namespace: 'team' });
    assert.equal(resourceOf('Trigger', there).spec.subscriber.ref?.namespace, 'team');
    const elsewhere = withSubscriber({ ref: { ...SERVICE, namespace: 'other' } }, { namespace: 'team' });
    assert.equal(resourceOf('Trigger', elsewhere).spec.subscriber.ref?.namespace, 'other');
  });

  for (const destination of [
    { uri: 'https://agent.example.com/events', CACerts: 'pem', audience: 'agents' },
    { ref: SERVICE, uri: '/events?x=1' },
    { ref: SERVICE, uri: 'events' },
  ]) {
    test(`may be ${JSON.stringify(destination)}`, () => assert.deepEqual(faultsOf(withSubscriber(destination)), []));
  }

  for (const [destination, message] of [
    [{}, 'spec.subscriber: expected at least one, got none: ref, uri: expected a ref or a uri, got neither'],
    [
      { uri: '/events' },
      'spec.subscriber.uri: invalid value: "/events": expected an absolute URL with a host, as there is no ref, got "/events"',
    ],
    [
      { uri: 'mailto:me' },
      'spec.subscriber.uri: invalid value: "mailto:me": expected an absolute URL with a host, as there is no ref, got "mailto:me"',
    ],
    [{ uri: 'http://a b' }, 'spec.subscriber.uri: invalid value: "http://a b": expected a URL, got "http://a b"'],
    [
      { ref: SERVICE, uri: 'http://x/' },
      'spec.subscriber.uri: absolute URI is not allowed when Ref is present: ref, uri: expected a path relative to the ref (or no ref), got "http://x/"',
    ],
    [
      { ref: { apiVersion: 'v1', kind: 'Service' } },
      'spec.subscriber.ref.name: missing field(s): spec.subscriber.ref.name: expected a non-empty text, got nothing',
    ],
    ['http://agent', 'spec.subscriber: expected a destination: an object with ref or uri, got "http://agent"'],
  ] as const) {
    test(`may not be ${JSON.stringify(destination)}`, () =>
      assert.deepEqual(faultsOf(withSubscriber(destination)), [message]));
  }

  test('without apiVersion leaves a receipt of what will be tried, and of what', () => {
    const { kind, name } = SERVICE;
    const text = withSubscriber({ ref: { kind, name } }, { namespace: 'team' });
    const [receipt] = readManifest(text, 'f').receipts;
    assert.equal(
      receipt?.message,
      'spec.subscriber.ref has no apiVersion: kind Service is looked for in serving.knative.dev/v1',
    );
    assert.deepEqual(receipt.reference, { kind, name, namespace: 'team' });
    assert.deepEqual(receiptsOf(withSubscriber({ ref: { kind: 'Broker', name } })), [
      'spec.subscriber.ref has no apiVersion: kind Broker is looked for among the kinds that are known here',
    ]);
  });

  test('never shows the password of a URL', () => {
    assert.deepEqual(
      faultsOf(withSubscriber({ ref: SERVICE, uri: 'http://me:hunter2@x/' }))[0]?.includes('hunter2'),
      false,
    );
  });
});
