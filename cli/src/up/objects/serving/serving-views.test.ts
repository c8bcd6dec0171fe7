import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Status } from '@millrace/bus/plan/plan';
import type { FunctionDescription, RevisionDescription } from '@millrace/functions/functions';
import type { ServiceSpec } from '@millrace/resources/service';

import type { View } from '../view.ts';
import { servingViews } from './serving-views.ts';

const SERVICE: Status = {
  kind: 'Service',
  namespace: 'default',
  name: 'agent',
  conditions: [
    { type: 'Ready', status: 'True' },
    { type: 'ConfigurationsReady', status: 'True' },
    { type: 'RoutesReady', status: 'True' },
  ],
  url: 'http://agent.default.svc.cluster.local',
};

const SPEC = { template: { spec: { containers: [{ image: 'x/agent' }] } } } as unknown as ServiceSpec;

function revision(number: number, more: Partial<RevisionDescription> = {}): RevisionDescription {
  return {
    name: `agent-0000${number}`,
    createdAt: '2026-01-02T03:04:05Z',
    percent: 0,
    tags: [],
    state: 'idle',
    reason: '',
    message: '',
    instances: 0,
    members: [],
    ready: 0,
    inFlight: 0,
    waiting: 0,
    desired: undefined,
    desiredReason: undefined,
    codeHash: '',
    isPinned: false,
    ...more,
  };
}

function viewsOf(revisions: RevisionDescription[], more: { latest?: string; spec?: object; service?: Status } = {}) {
  const { latest = revisions[0]?.name, spec = {}, service = SERVICE } = more;
  const description = { name: 'default/agent', latest, revisions } as unknown as FunctionDescription;
  const views = servingViews(new Map([['Service/default/agent', service]]), [description], {
    specOf: () => ({ ...SPEC, ...spec }),
    dataUrl: 'http://127.0.0.1:8080',
  });
  return (kind: string, name = 'agent'): View => views.get(`${kind}/default/${name}`)!;
}

const condition = ({ conditions }: View, type: string) => {
  const { status, reason } = conditions.find((it) => it.type === type)!;
  return reason === undefined ? status : `${status} ${reason}`;
};

describe('what Serving makes of a Service', () => {
  test('a Configuration and a Route that the Service owns, a Revision that the Configuration does', () => {
    const view = viewsOf([revision(1, { percent: 100, state: 'running', instances: 1, ready: 1 })]);
    assert.equal(view('Configuration').owner, 'Service/default/agent');
    assert.equal(view('Route').owner, 'Service/default/agent');
    assert.equal(view('Revision', 'agent-00001').owner, 'Configuration/default/agent');
    assert.deepEqual(view('Revision', 'agent-00001').labels, {
      'serving.knative.dev/configuration': 'agent',
      'serving.knative.dev/configurationGeneration': '1',
      'serving.knative.dev/service': 'agent',
      'serving.knative.dev/routingState': 'active',
    });
    assert.equal(view('Service').details?.['url'], 'http://127.0.0.1:8080/functions/default/agent');
    assert.equal(view('Service').details?.['latestReadyRevisionName'], 'agent-00001');
    assert.deepEqual(view('Route').spec, {
      traffic: [{ configurationName: 'agent', latestRevision: true, percent: 100 }],
    });
  });

  test('a revision at rest is ready and not active; one that fails is neither; one that installs is not known', () => {
    const conditionsOf = (more: Partial<RevisionDescription>) => {
      const it = viewsOf([revision(1, { percent: 100, ...more })])('Revision', 'agent-00001');
      return ['Ready', 'Active', 'ContainerHealthy', 'ResourcesAvailable'].map((type) => condition(it, type));
    };
    assert.deepEqual(conditionsOf({}), ['True', 'False NoTraffic', 'True', 'True']);
    assert.deepEqual(conditionsOf({ state: 'running' }), ['True', 'True', 'True', 'True']);
    assert.deepEqual(conditionsOf({ state: 'failing', reason: 'CrashLoop' }), [
      'False CrashLoop',
      'False CrashLoop',
      'False CrashLoop',
      'True',
    ]);
    assert.deepEqual(conditionsOf({ state: 'starting', reason: 'Installing' }), [
      'Unknown Installing',
      'Unknown Deploying',
      'True',
      'Unknown Installing',
    ]);
  });

  test('a revision that could not start is the latest created, not the latest ready', () => {
    const view = viewsOf([revision(2, { state: 'failing' }), revision(1, { percent: 100 })], { latest: 'agent-00001' });
    for (const kind of ['Service', 'Configuration']) {
      assert.equal(view(kind).details?.['latestCreatedRevisionName'], 'agent-00002');
      assert.equal(view(kind).details?.['latestReadyRevisionName'], 'agent-00001');
    }
  });

  test('while the newest revision starts, it is not known whether the Service is ready', () => {
    const view = viewsOf([revision(2, { state: 'starting' }), revision(1, { percent: 100 })], {
      latest: 'agent-00001',
    });
    assert.equal(condition(view('Service'), 'Ready'), 'Unknown Deploying');
    assert.equal(condition(view('Configuration'), 'Ready'), 'Unknown Deploying');
    assert.equal(condition(view('Route'), 'Ready'), 'True');
  });

  test('shows who gets the calls, and each tag with its address', () => {
    const view = viewsOf([revision(2, { tags: ['next'] }), revision(1, { percent: 100 })], {
      spec: {
        traffic: [
          { revisionName: 'agent-00001', percent: 100 },
          { latestRevision: true, tag: 'next' },
        ],
      },
    });
    assert.deepEqual(view('Route').details?.['traffic'], [
      {
        revisionName: 'agent-00002',
        latestRevision: true,
        percent: 0,
        tag: 'next',
        url: 'http://next-agent.default.svc.cluster.local',
      },
      { revisionName: 'agent-00001', latestRevision: false, percent: 100 },
    ]);
  });

  test('an instance is a Pod of its revision, ready when it takes calls', () => {
    const members = [
      { id: '1', phase: 'ready' as const, begunAt: '2026-01-02T03:04:05.678Z' },
      { id: '2', phase: 'starting' as const, begunAt: '2026-01-02T03:04:06.000Z' },
    ];
    const view = viewsOf([revision(1, { percent: 100, state: 'running', members })]);
    assert.equal(view('Pod', 'agent-00001-1').owner, 'Revision/default/agent-00001');
    assert.equal(view('Pod', 'agent-00001-1').details?.['phase'], 'Running');
    assert.equal(view('Pod', 'agent-00001-1').details?.['startTime'], '2026-01-02T03:04:05Z');
    assert.equal(condition(view('Pod', 'agent-00001-1'), 'Ready'), 'True');
    assert.equal(view('Pod', 'agent-00001-2').details?.['phase'], 'Pending');
    assert.equal(condition(view('Pod', 'agent-00001-2'), 'Ready'), 'False ContainersNotReady');
  });

  test('a Service whose function cannot run has a Configuration that says why, and a Route that waits', () => {
    const trouble = { status: 'False' as const, reason: 'SecretMissing', message: 'there is none' };
    const conditions = SERVICE.conditions.map((it) =>
      it.type === 'RoutesReady' ? it : Object.assign({}, it, trouble),
    );
    const view = viewsOf([], { service: { ...SERVICE, conditions } });
    assert.equal(condition(view('Configuration'), 'Ready'), 'False SecretMissing');
    assert.equal(condition(view('Route'), 'Ready'), 'Unknown RevisionMissing');
  });
});
