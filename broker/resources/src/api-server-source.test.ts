import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultPathsOf, faultsOf, manifestOf, receiptsOf, refusalsOf, resourceOf, testRefusals } from './testing.ts';

const EVENTS = [{ apiVersion: 'v1', kind: 'Event' }];
const text = (spec: object) =>
  manifestOf('ApiServerSource', { resources: EVENTS, sink: { uri: 'http://agent' }, ...spec });

describe('an ApiServerSource', () => {
  test('tells of references, by the default account, unless it says otherwise', () => {
    assert.deepEqual(resourceOf('ApiServerSource', text({})).spec, {
      resources: EVENTS,
      mode: 'Reference',
      serviceAccountName: 'default',
      sink: { uri: 'http://agent' },
    });
  });

  const selector = (requirement: object) => ({ matchExpressions: [requirement] });
  for (const spec of [
    { resources: [{ apiVersion: 'apps/v1', kind: 'Deployment', selector: { matchLabels: { app: 'a' } } }] },
    { mode: 'Resource', owner: { apiVersion: 'apps/v1', kind: 'Deployment' } },
    { namespaceSelector: {} },
    { namespaceSelector: selector({ key: 'team', operator: 'In', values: ['a'] }) },
    { namespaceSelector: selector({ key: 'team', operator: 'Exists' }) },
    { filters: [{ not: { exact: { kind: 'Secret' } } }] },
  ]) {
    test(`may have ${JSON.stringify(spec)}`, () => assert.deepEqual(faultsOf(text(spec)), []));
  }

  test('notes that there are no permissions for an account to have', () => {
    assert.deepEqual(receiptsOf(text({ serviceAccountName: 'watcher' })), [
      'spec.serviceAccountName is ignored: whoever may declare a source here may watch everything',
    ]);
    assert.deepEqual(receiptsOf(text({ serviceAccountName: 'default' })), []);
  });

  test('is refused filters by Knative as shipped', () => {
    assert.deepEqual(refusalsOf(text({ filters: [{ exact: { kind: 'Event' } }] })), [
      'spec.filters: Filters is not empty but the NewAPIServerFilters feature is disabled.: expected nothing, unless the feature new-apiserversource-filters is enabled, got a list',
    ]);
    assert.deepEqual(refusalsOf(text({ filters: [] })), []);
  });

  test('is refused filters that Triggers may not have either', () => {
    assert.deepEqual(faultPathsOf(text({ filters: [{ exact: { type: '' } }] })), ['spec.filters[0].exact.type']);
  });

  const list = 'expected a list of at least one apiVersion and kind';
  const version = 'expected a version, or a group and a version';
  testRefusals(
    [
      [{ resources: undefined }, `spec.resources: missing field(s): spec.resources: ${list}, got nothing`],
      [{ resources: [] }, `spec.resources: missing field(s): spec.resources: ${list}, got an empty list`],
      [
        { resources: [{ apiVersion: 'a/b/c', kind: 'Event' }] },
        `spec.resources[0].apiVersion: invalid value: "a/b/c": ${version}, got "a/b/c"`,
      ],
      [
        { resources: [{ apiVersion: 'v1', kind: ' ' }] },
        'spec.resources[0].kind: missing field(s): spec.resources[0].kind: expected the name of a kind, got " "',
      ],
      [
        { owner: { apiVersion: 'apps/', kind: 'Deployment' } },
        `spec.owner.apiVersion: invalid value: "apps/": ${version}, got "apps/"`,
      ],
      [
        { owner: { apiVersion: 'v1' } },
        'spec.owner.kind: missing field(s): spec.owner.kind: expected the name of a kind, such as "Event", got nothing',
      ],
      [
        { mode: 'Reference ' },
        'spec.mode: invalid value: "Reference ": expected one of "Reference", "Resource", got "Reference "',
      ],
      [
        { namespaceSelector: selector({ key: 'team', operator: 'In' }) },
        "spec.namespaceSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn': expected a list of at least one text, got nothing",
      ],
      [
        { namespaceSelector: selector({ key: 'team', operator: 'Exists', values: ['a'] }) },
        "spec.namespaceSelector.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist': expected no values, got a list",
      ],
    ],
    text,
  );
});
