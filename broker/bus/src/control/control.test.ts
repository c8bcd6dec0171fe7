import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { scalingOf } from '@millrace/resources/scaling';
import type { RunningSource, SourceStatus } from '@millrace/event/source';

import type { Condition, Feed, Inlet, Plan, Route, Status, Workload } from '../plan/plan.ts';
import { Control } from './control.ts';
import type { FunctionStatus } from './ports.ts';
import { compilePlan } from '../plan/compile.ts';
import { PLAIN_DELIVERY } from '../plan/testing.ts';

const INLET: Inlet = { path: '/default/default', topic: 't', key: 'Broker/default/default' };

const ROUTE: Route = {
  name: 'trigger/default/r',
  key: 'Trigger/default/r',
  sinkCondition: 'SubscriberResolved',
  namespace: 'default',
  topic: 't',
  filter: {},
  target: { kind: 'function', workload: 'default/f' },
  replyTopic: undefined,
  deadLetter: undefined,
  delivery: PLAIN_DELIVERY,
  manner: 'broker',
};

const FEED: Feed = {
  name: 'webhooksource/default/w',
  key: 'WebhookSource/default/w',
  topic: 't',
  kind: 'WebhookSource',
  options: {
    namespace: 'default',
    name: 'w',
    path: '/webhooks/default/w',
    event: { type: 't', source: '/s' },
    extensions: {},
  },
};

const WORKLOAD: Workload = {
  name: 'default/f',
  key: 'Service/default/f',
  namespace: 'default',
  service: 'f',
  image: 'f',
  code: undefined,
  manifest: 'test.yaml',
  environment: {},
  secretValues: [],
  open: [],
  timeoutMs: 1_000,
  concurrency: 0,
  scaling: scalingOf(undefined),
  limits: {},
  readiness: undefined,
  liveness: undefined,
  progressDeadlineMs: undefined,
  terminationGraceMs: undefined,
  command: [],
  arguments: [],
  speaks: 'http',
  port: 8080,
  revisionName: undefined,
  traffic: [],
};

const NOTHING: Plan = { ...compilePlan([], ''), inlets: [], statuses: new Map() };

const ready = (...types: string[]): Condition[] => ['Ready', ...types].map((type) => ({ type, status: 'True' }));
const statusOf = (kind: string, name: string, ...types: string[]): [string, Status] => [
  `${kind}/default/${name}`,
  { kind, namespace: 'default', name, conditions: ready(...types) },
];

const ALL: Plan = {
  ...NOTHING,
  inlets: [INLET],
  routes: [ROUTE],
  feeds: [FEED],
  workloads: [WORKLOAD],
  statuses: new Map([
    statusOf('Broker', 'default', 'IngressReady'),
    statusOf('Trigger', 'r', 'BrokerReady', 'SubscriberResolved'),
    statusOf('Trigger', 'other', 'BrokerReady', 'SubscriberResolved'),
    statusOf('WebhookSource', 'w', 'SinkProvided', 'Deployed'),
    statusOf('Service', 'f', 'ConfigurationsReady', 'RoutesReady'),
  ]),
};

const EVERYTHING_UP = ['function f', 'route r', 'source w', 'receiver w', 'inlet default'];
const IDLE: FunctionStatus = {
  instances: 0,
  inFlight: 0,
  waiting: 0,
  state: 'idle',
  reason: '',
  message: '',
  notes: [],
};

/** A control whose actuators write down what they are told to do. */
function startControl({ startRoute }: { startRoute?: () => Promise<void> } = {}) {
  const done: string[] = [];
  const short = (name: string) => name.split('/').at(-1)!;
  const reports = new Map<string, (status: SourceStatus) => void>();
  let functionStatus = IDLE;
  const control = new Control({
    openInlet: ({ path }) => void done.push(`inlet ${short(path)}`),
    closeInlet: ({ path }) => void done.push(`-inlet ${short(path)}`),
    async placeRoutes() {},
    async startRoute({ name }) {
      await startRoute?.();
      done.push(`route ${short(name)}`);
    },
    async stopRoute({ name }) {
      done.push(`-route ${short(name)}`);
    },
    async removeRoute({ name }) {
      done.push(`--route ${short(name)}`);
    },
    openReceiver: (path) => void done.push(`receiver ${short(path)}`),
    closeReceiver: (path) => void done.push(`-receiver ${short(path)}`),
    outletOf: () => ({ emit: async () => {}, park: async () => {} }),
    functions: {
      start({ name }) {
        done.push(`function ${short(name)}`);
        return {
          handler: async () => ({ status: 299 }),
          request: () => Promise.reject(new Error('not called')),
          room: () => Infinity,
          onRoom: () => () => {},
          warm() {},
          change: () => void done.push(`~function ${short(name)}`),
          status: () => functionStatus,
          drain: async () => void done.push(`-function ${short(name)}`),
        };
      },
    },
    sources(feed, _outlet, report): RunningSource {
      done.push(`source ${short(feed.name)}`);
      reports.set(feed.name, report);
      return {
        receive: async () => ({ status: 202 }),
        drain: async () => void done.push(`-source ${short(feed.name)}`),
      };
    },
  });
  return {
    control,
    /** What has been done since this was last asked. */
    done: () => done.splice(0),
    report: (feed: Feed, status: SourceStatus) => reports.get(feed.name)!(status),
    setFunction: (status: Partial<FunctionStatus>) => void (functionStatus = { ...IDLE, ...status }),
    /** A condition of a resource: its status, or its reason and message when it is not True. */
    condition: (key: string, type: string) => {
      const condition = control
        .statuses()
        .get(key)!
        .conditions.find((it) => it.type === type)!;
      return condition.status === 'True' ? 'True' : `${condition.status} ${condition.reason}: ${condition.message}`;
    },
  };
}

describe('a plan is applied', () => {
  test('from the inside out: doors open when all behind them stands', async () => {
    const { control, done } = startControl();
    await control.apply(ALL);
    assert.deepEqual(done(), EVERYTHING_UP);
    assert.equal(control.plan, ALL);
  });

  test('doors first, when all of it goes', async () => {
    const { control, done } = startControl();
    await control.apply(ALL);
    done();
    await control.apply(NOTHING);
    assert.deepEqual(done(), ['-inlet default', '-receiver w', '-source w', '--route r', '-function f']);
    assert.equal(control.functionOf('default/f'), undefined);
  });

  test('without touching what it says as before', async () => {
    const { control, done } = startControl();
    await control.apply(ALL);
    done();
    await control.apply(structuredClone(ALL));
    assert.deepEqual(done(), []);
  });

  test('by stopping what changed and starting it again, and nothing else', async () => {
    const { control, done } = startControl();
    await control.apply(ALL);
    done();
    await control.apply({ ...ALL, routes: [{ ...ROUTE, filter: { filters: [{ exact: { type: 'a' } }] } }] });
    assert.deepEqual(done(), ['-route r', 'route r']);
  });

  test('by telling a function that it has changed, which goes on taking calls', async () => {
    const { control, done } = startControl();
    await control.apply(ALL);
    done();
    await control.apply({ ...ALL, workloads: [{ ...WORKLOAD, image: 'f:2' }] });
    assert.deepEqual(done(), ['~function f']);
    assert.notEqual(control.functionOf('default/f'), undefined);
  });

  test('after the one that is being applied, whatever that takes', async () => {
    const routes = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let started = 0;
    const { control, done } = startControl({ startRoute: () => routes[started++]!.promise });
    const first = control.apply(ALL);
    const second = control.apply(NOTHING);
    routes[0]!.resolve();
    await first;
    await second;
    assert.deepEqual(done(), [
      ...EVERYTHING_UP,
      '-inlet default',
      '-receiver w',
      '-source w',
      '--route r',
      '-function f',
    ]);
  });
});

test('a plan that could not be applied does not keep the next one from it', async () => {
  let isFull = true;
  const { control, done } = startControl({
    startRoute: () => (isFull ? Promise.reject(new Error('no space')) : Promise.resolve()),
  });
  await assert.rejects(control.apply(ALL), /no space/);
  isFull = false;
  await control.apply(ALL);
  const seen = done();
  for (const one of EVERYTHING_UP) assert.ok(seen.includes(one), `${one} is not among: ${seen.join(', ')}`);
});

describe('a function', () => {
  test('can be called while it is in the plan', async () => {
    const { control } = startControl();
    assert.equal(control.functionOf('default/f'), undefined);
    await control.apply(ALL);
    assert.notEqual(control.functionOf('default/f'), undefined);
    assert.deepEqual(control.functionStatuses(), new Map([['default/f', IDLE]]));
  });

  test('that cannot run shows on its Service and on the Trigger that needs it, and on no other', async () => {
    const { control, condition, setFunction } = startControl();
    await control.apply(ALL);
    setFunction({ state: 'unavailable', reason: 'CodeNotFound', message: 'there is no code' });
    for (const type of ['ConfigurationsReady', 'Ready']) {
      assert.equal(condition('Service/default/f', type), 'False CodeNotFound: there is no code');
    }
    for (const type of ['SubscriberResolved', 'Ready']) {
      const text = 'False CodeNotFound: the Service default/f is not ready: there is no code';
      assert.equal(condition('Trigger/default/r', type), text);
    }
    assert.equal(condition('Trigger/default/r', 'BrokerReady'), 'True');
    assert.equal(condition('Trigger/default/other', 'Ready'), 'True');
  });

  test('that fails shows so while it does', async () => {
    const { control, condition, setFunction } = startControl();
    await control.apply(ALL);
    assert.equal(condition('Service/default/f', 'Ready'), 'True');
    setFunction({ state: 'failing', reason: 'CrashLoop', message: 'it ends at once' });
    assert.equal(condition('Service/default/f', 'Ready'), 'False CrashLoop: it ends at once');
    setFunction({ state: 'running', instances: 1 });
    assert.equal(condition('Service/default/f', 'Ready'), 'True');
  });
});

describe('a source', () => {
  test('tells its own condition, and the others stay as the plan has them', async () => {
    const { control, condition, report } = startControl();
    await control.apply(ALL);
    report(FEED, { ready: false, reason: 'PathTaken', message: 'somebody is there' });
    assert.equal(condition('WebhookSource/default/w', 'Deployed'), 'False PathTaken: somebody is there');
    assert.equal(condition('WebhookSource/default/w', 'Ready'), 'False PathTaken: somebody is there');
    assert.equal(condition('WebhookSource/default/w', 'SinkProvided'), 'True');
    report(FEED, { ready: true, reason: 'Listening', message: '' });
    assert.equal(condition('WebhookSource/default/w', 'Ready'), 'True');
  });

  test('that is started again does not keep what it told before', async () => {
    const { control, condition, report } = startControl();
    await control.apply(ALL);
    report(FEED, { ready: false, reason: 'PathTaken', message: 'somebody is there' });
    await control.apply({ ...ALL, feeds: [{ ...FEED, topic: 'other' }] });
    assert.equal(condition('WebhookSource/default/w', 'Ready'), 'True');
  });
});

test('the end closes the doors first, and the functions when they are asked to go', async () => {
  const { control, done } = startControl();
  await control.apply(ALL);
  done();
  await control.drainInlets();
  assert.deepEqual(done(), ['-inlet default', '-receiver w', '-source w']);
  assert.notEqual(control.functionOf('default/f'), undefined);
  await control.drainFunctions();
  assert.deepEqual(done(), ['-function f']);
});
