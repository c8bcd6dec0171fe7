import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';

import { post } from '../support/events.ts';
import { broker } from '../support/manifests.ts';
import { eventually, startMillrace, testFolder } from '../support/process.ts';
import { seededChance } from '../support/chance.ts';

const KILLS = 30;
const AT_ONCE = 2;

const MANIFEST = `${broker()}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: slow }
spec:
  template:
    metadata: { annotations: { autoscaling.knative.dev/max-scale: "4" } }
    spec: { containerConcurrency: ${AT_ONCE}, containers: [{ image: slow }] }
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: slow }
spec:
  broker: default
  subscriber: { ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: slow } }
  delivery: { retry: 50, backoffPolicy: linear, backoffDelay: PT0.01S, backoffMax: PT0.1S }
`;

const HANDLER = `
import { appendFileSync } from 'node:fs';
let now = 0;
export default async ({ id }) => {
  now += 1;
  await new Promise((resolve) => setTimeout(resolve, 5));
  appendFileSync(process.env.SEEN, id + ' ' + now + '\\n');
  now -= 1;
};`;

test(
  'every event reaches the code although its instances are killed at random, and none has more calls than it may',
  { timeout: 120_000 },
  async () => {
    const chance = seededChance();
    using folder = testFolder();
    const seen = folder.at('seen');
    folder.write('functions/slow.mjs', HANDLER.replace('process.env.SEEN', JSON.stringify(seen)));
    const manifests = [folder.write('flow.yaml', MANIFEST)];
    await using millrace = await startMillrace({ data: folder.at('data'), manifests });
    const killed: number[] = [];
    let came = 0;
    const killing = (async () => {
      while (killed.length < KILLS) {
        await pause(chance.integer(50, 300));
        const instances = instancesOf(millrace.pid);
        if (instances.length === 0) continue;
        const instance = instances[chance.integer(0, instances.length - 1)]!;
        process.kill(instance, 'SIGKILL');
        killed.push(instance);
      }
    })();
    for (; killed.length < KILLS; came += 1) {
      assert.equal((await post(millrace.broker, { id: String(came) })).status, 202);
      if (came % 5 === 0) await pause(chance.integer(0, 50));
    }
    await killing;
    await eventually(() => (linesOf(seen).length >= came ? true : undefined));
    await millrace.settled();
    const lines = linesOf(seen).map((line) => line.split(' ').map(Number) as [id: number, now: number]);
    assert.equal(new Set(lines.map(([id]) => id)).size, came);
    assert.ok(Math.max(...lines.map(([, now]) => now)) <= AT_ONCE);
    assert.deepEqual(await millrace.ask('/api/dead-letters'), []);
    const children = childrenOf(millrace.pid);
    await millrace.stop();
    for (const pid of children) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  },
);

const linesOf = (file: string): string[] => {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n');
  } catch {
    return [];
  }
};

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

/** Processes of Node: those that serve, and those that wait to. */
function instancesOf(pid: number): number[] {
  return childrenOf(pid).filter((child) => {
    try {
      return readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('node-runner');
    } catch {
      return false;
    }
  });
}
