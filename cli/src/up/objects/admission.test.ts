import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { KubernetesObject, ObjectDraft } from '@millrace/apiserver/objects/object';

import { apiAdmission } from './admission.ts';

const policy = (spec: object, more: object = {}): ObjectDraft => ({
  apiVersion: 'eventing.knative.dev/v1alpha1',
  kind: 'EventPolicy',
  metadata: { name: 'a', namespace: 'default', ...more },
  spec,
});
const stored = (spec: object) => policy(spec) as KubernetesObject;
const SPEC = { from: [{ sub: '*' }] };

describe('an EventPolicy over the API', () => {
  test('is taken where senders are authenticated', () => {
    assert.ok('object' in apiAdmission({ isAuthenticating: true }).admit(policy(SPEC), undefined));
  });

  test('is refused where they are not, as Knative refuses it: it would look as if it held', () => {
    const admission = apiAdmission({ isAuthenticating: false });
    for (const [spec, old] of [
      [SPEC, undefined],
      [SPEC, stored({})],
    ] as const) {
      const verdict = admission.admit(policy(spec), old);
      assert.ok('faults' in verdict);
      assert.match(verdict.faults[0]!.message, /^oidc-authentication feature not enabled/);
      assert.equal(verdict.webhook, 'validation.webhook.eventing.knative.dev');
    }
  });

  test('may get labels and go where they are not, as its spec stays', () => {
    const labelled = policy(SPEC, { labels: { a: 'b' } });
    assert.ok('object' in apiAdmission({ isAuthenticating: false }).admit(labelled, stored(SPEC)));
  });

  test('is refused with a filter that does not compile', () => {
    const broken = policy({ filters: [{ cesql: 'type =' }] });
    const verdict = apiAdmission({ isAuthenticating: true }).admit(broken, undefined);
    assert.ok('faults' in verdict);
    assert.match(verdict.faults[0]!.path, /^spec\.filters\[0\]/);
  });
});
