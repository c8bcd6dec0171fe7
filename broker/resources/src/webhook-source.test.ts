import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultPathsOf, faultsOf, receiptsOf, resourceOf } from './testing.ts';

const KEY = { secretKeyRef: { name: 'github', key: 'secret' } };

const sourceText = (spec: object = {}) =>
  JSON.stringify({
    apiVersion: 'sources.millrace.dev/v1alpha1',
    kind: 'WebhookSource',
    metadata: { name: 'github', namespace: 'team' },
    spec: { sink: { uri: 'http://agent' }, ...spec },
  });

describe('a WebhookSource', () => {
  test('needs no more than a sink', () => {
    assert.deepEqual(resourceOf('WebhookSource', sourceText()).spec, {
      path: '/webhooks/team/github',
      sink: { uri: 'http://agent' },
      event: {
        type: 'dev.millrace.webhook',
        source: '/apis/v1/namespaces/team/webhooksources/github',
      },
    });
    assert.deepEqual(receiptsOf(sourceText()), ['spec.verify is not given: requests are taken from anyone']);
  });

  test('allows five minutes of difference between clocks', () => {
    const { spec } = resourceOf('WebhookSource', sourceText({ verify: { github: KEY } }));
    assert.deepEqual(spec.verify, { github: KEY, toleranceSeconds: 300 });
  });

  test('may say everything', () => {
    const spec = {
      path: '/hooks/github',
      ceOverrides: { extensions: { team: 'a' } },
      event: {
        type: 'github.{headers.x-github-event}.{body.action}',
        source: 'https://github.com/{body.repository.full_name}',
        subject: '{{{query.q}}}',
        id: '{headers.x-github-delivery}',
        extensions: { actor: '{body.sender.login}' },
      },
      verify: { standardWebhooks: KEY, toleranceSeconds: 60 },
      contentTypes: ['application/json', 'application/vnd.github+json'],
    };
    const { sink: _sink, ...said } = resourceOf('WebhookSource', sourceText(spec)).spec;
    assert.deepEqual(said, spec);
  });

  for (const [spec, path] of [
    [{ sink: undefined }, 'spec.sink'],
    [{ path: 'hooks' }, 'spec.path'],
    [{ path: '' }, 'spec.path'],
    [{ path: '/a?b' }, 'spec.path'],
    [{ path: '/a#b' }, 'spec.path'],
    [{ path: '/a/../b' }, 'spec.path'],
    [{ path: '//a/b' }, 'spec.path'],
    [{ path: '/a//b' }, 'spec.path'],
    [{ path: '/a b' }, 'spec.path'],
    [{ verify: {} }, 'spec.verify'],
    [{ verify: { github: KEY, standardWebhooks: KEY } }, 'spec.verify'],
    [{ verify: { github: {} } }, 'spec.verify.github.secretKeyRef'],
    [{ verify: { github: { secretKeyRef: 'hunter2' } } }, 'spec.verify.github.secretKeyRef'],
    [{ verify: { github: KEY, toleranceSeconds: 0 } }, 'spec.verify.toleranceSeconds'],
    [{ event: { type: '{header.a}' } }, 'spec.event.type'],
    [{ event: { subject: 'a}' } }, 'spec.event.subject'],
    [{ event: { id: 'always the same' } }, 'spec.event.id'],
    [{ event: { id: '{' } }, 'spec.event.id'],
    [{ event: { extensions: { Actor: 'a' } } }, 'spec.event.extensions.Actor'],
    [{ event: { extensions: { actor: '{' } } }, 'spec.event.extensions.actor'],
    [{ event: { extensions: { subject: 'a' } } }, 'spec.event.extensions.subject'],
    [{ event: { time: 'a' } }, 'spec.event.time'],
    [{ contentTypes: ['json'] }, 'spec.contentTypes[0]'],
    [{ contentTypes: [] }, 'spec.contentTypes'],
  ] as const) {
    test(`may not have ${JSON.stringify(spec)}`, () => {
      const text = sourceText(spec);
      assert.deepEqual(faultPathsOf(text), [path]);
      assert.ok(!faultsOf(text).join('').includes('hunter2'));
    });
  }
});
