import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

import { post } from '../support/events.ts';
import { eventually, startMillrace, testFolder } from '../support/process.ts';
import type { Millrace } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';
import { startLoad } from './load.ts';
import type { Load } from './load.ts';
import { alone, compared, median } from './measure.ts';
import type { Row } from './measure.ts';

const TRIGGERS = 1_000;
const OBJECTS = 10_000;
const ROUNDS = 50;
const EVENTS = 20_000;
const PASSES = 5;
const EVENTING = '/apis/eventing.knative.dev/v1/namespaces/default';
/** Writers at once. */
const WRITERS = 8;

/** Objects over the API: each figure through the real process. */
export async function objectsBench(): Promise<Row[]> {
  return [...(await applying()), ...(await routing()), ...(await storm()), ...(await remembering())];
}

/** A thousand Triggers, until the last one runs: over HTTP as server-side apply, and by kubectl where there is one. */
async function applying(): Promise<Row[]> {
  using folder = testFolder();
  await using millrace = await startMillrace({ data: folder.at('data') });
  const before = performance.now();
  await inParallel(TRIGGERS, (nth) => apply(millrace, triggerOf(`t-${nth}`, `type.${nth}`)));
  await ready(millrace, `t-${TRIGGERS - 1}`);
  const took = (performance.now() - before) / 1_000;
  const rows = [alone('apply of 1,000 Triggers, until they run', took, 's')];
  const items = Array.from({ length: TRIGGERS }, (_, nth) => triggerOf(`k-${nth}`, `kind.${nth}`));
  const file = folder.write('triggers.json', JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const began = performance.now();
  try {
    await promisify(execFile)('kubectl', ['--server', millrace.admin, 'apply', '-f', file], {
      env: { PATH: process.env['PATH'], HOME: folder.path },
      maxBuffer: 16 * 1024 * 1024,
    });
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return rows;
    throw error;
  }
  return [...rows, alone('kubectl apply of 1,000 Triggers', (performance.now() - began) / 1_000, 's')];
}

/** From the request that applies a Trigger until its subscriber has the first event. */
async function routing(): Promise<Row[]> {
  using folder = testFolder();
  await using subscriber = await startSubscriber();
  await using millrace = await startMillrace({ data: folder.at('data') });
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const type = `type.${round}`;
    const came = subscriber.count(subscriber.received.length + 1);
    const over = new AbortController();
    void came.then(() => over.abort());
    const before = performance.now();
    await apply(millrace, triggerOf(`t-${round}`, type, subscriber.url));
    // What came before the Trigger runs is not for it.
    while (!over.signal.aborted) await post(millrace.broker, { type });
    await came;
    times.push(performance.now() - before);
    await millrace.settled();
  }
  return [alone('from apply of a Trigger to its first event, p50', median(times), 'ms', 50)];
}

/** Events while the statuses of a thousand Triggers turn again and again, beside the same events without that. */
async function storm(): Promise<Row[]> {
  await using load = await startLoad();
  using folder = testFolder();
  await using millrace = await startMillrace({ data: folder.at('data') });
  await apply(millrace, triggerOf('wanted', 'com.example.bench', load.subscriberUrl));
  await inParallel(TRIGGERS, (nth) =>
    apply(millrace, triggerOf(`t-${nth}`, 'other', 'http://127.0.0.1:9/', 'turning')),
  );
  await ready(millrace, 'wanted');
  await through(millrace, load);
  const [calm, stormy]: [number[], number[]] = [[], []];
  for (let pass = 0; pass < PASSES; pass += 1) {
    calm.push(await through(millrace, load));
    const over = new AbortController();
    const turning = turn(millrace, over.signal);
    stormy.push(await through(millrace, load));
    over.abort();
    await turning;
  }
  return [compared('20,000 events while 2,000 statuses a second turn', median(stormy), 'ms', median(calm), 1.05)];
}

async function through({ broker }: Millrace, load: Load): Promise<number> {
  const before = performance.now();
  await load.post({ url: broker, count: EVENTS, connections: 64, mode: 'binary', size: 1_024 });
  await load.delivered(EVENTS);
  return performance.now() - before;
}

/** The Broker of a thousand Triggers comes and goes, so that each of them tells otherwise each time. */
async function turn({ admin }: Millrace, signal: AbortSignal): Promise<void> {
  const path = `${admin}${EVENTING}/brokers`;
  while (!signal.aborted) {
    await request(`${path}/turning?fieldManager=bench&force=true`, 'PATCH', {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Broker',
      metadata: { name: 'turning' },
    });
    await pause(500);
    await request(`${path}/turning`, 'DELETE');
    await pause(500);
  }
}

/** Ten thousand objects that mean something: Triggers whose Broker is not there. */
async function remembering(): Promise<Row[]> {
  using folder = testFolder();
  await using millrace = await startMillrace({ data: folder.at('data') });
  const before = memoryOf(millrace);
  await inParallel(OBJECTS, (nth) => apply(millrace, triggerOf(`t-${nth}`, `type.${nth}`, 'http://127.0.0.1:9/')));
  await ready(millrace, `t-${OBJECTS - 1}`);
  return [alone('memory with 10,000 Triggers', memoryOf(millrace), 'MB'), alone('memory without', before, 'MB')];
}

function memoryOf({ pid }: Millrace): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1_024;
}

function triggerOf(name: string, type: string, uri = 'http://127.0.0.1:9/', broker = 'default'): object {
  return {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    metadata: { name },
    spec: { broker, filters: [{ exact: { type } }], subscriber: { uri } },
  };
}

function apply({ admin }: Millrace, object: object): Promise<void> {
  const { name } = (object as { metadata: { name: string } }).metadata;
  return request(`${admin}${EVENTING}/triggers/${name}?fieldManager=bench&force=true`, 'PATCH', object);
}

async function request(url: string, method: string, body?: object): Promise<void> {
  const answer = await fetch(url, {
    method,
    headers: { 'content-type': method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url} was answered ${answer.status}: ${text}`);
}

/** Resolves when a Trigger tells how it is. */
async function ready({ admin }: Millrace, name: string): Promise<void> {
  await eventually(async () => {
    const answer = await fetch(`${admin}${EVENTING}/triggers/${name}`);
    const { status } = (await answer.json()) as { status?: object };
    return status === undefined ? undefined : true;
  });
}

async function inParallel(count: number, work: (nth: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, worker));
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
