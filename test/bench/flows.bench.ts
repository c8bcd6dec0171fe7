import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startMillrace } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';
import type { FlowSubject, FlowCost } from './flows-process.ts';
import { alone, compared, median } from './measure.ts';
import type { Row } from './measure.ts';

const PASSES = 3;

/**
 * What flows cost the bus: CPU of a process that holds it, over SQLite, with functions that answer at once in the same
 * process. Every subject runs in a process of its own; several passes over all of them.
 */
export async function flowsBench(): Promise<Row[]> {
  const subjects: readonly FlowSubject[] = ['one trigger', 'five triggers', 'one step', 'five steps'];
  const more: readonly FlowSubject[] = ['ten replies', 'join of ten', 'one transform'];
  const costs = new Map<FlowSubject, FlowCost[]>();
  for (let pass = 0; pass < PASSES; pass += 1) {
    for (const subject of [...subjects, ...more])
      costs.set(subject, [...(costs.get(subject) ?? []), await cost(subject)]);
  }
  const cpu = (subject: FlowSubject) => median(costs.get(subject)!.map((it) => it.cpu));
  const wall = (subject: FlowSubject) => median(costs.get(subject)!.map((it) => it.wall));
  const hop = (cpu('five triggers') - cpu('one trigger')) / 4;
  const step = (cpu('five steps') - cpu('one step')) / 4;
  return [
    compared('a step of a Sequence against a hop by a Trigger', step, 'us CPU', hop, 1.3),
    compared('a join of ten branches against ten replies', cpu('join of ten'), 'us CPU', cpu('ten replies'), 1.5),
    alone('a transformation beyond a step, in the bus', cpu('one transform') - cpu('one step'), 'us CPU'),
    alone('a transformation beyond a step, at 100 at once', wall('one transform') - wall('one step'), 'us'),
    ...(await fiveFunctions()),
  ];
}

async function cost(subject: FlowSubject): Promise<FlowCost> {
  const child = fork(new URL('./flows-process.ts', import.meta.url), [subject], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as FlowCost));
    child.once('exit', (code) => reject(new Error(`${subject} ended with ${code}`)));
  });
}

const STEPS = ['one', 'two', 'three', 'four', 'five'];

/** From the POST of an event until its outcome is at the subscriber, through five functions of Node that do nothing. */
async function fiveFunctions(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  await using subscriber = await startSubscriber();
  try {
    mkdirSync(join(folder, 'functions'));
    const service = (name: string) => `
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: ${name} }
spec: { template: { spec: { containers: [{ image: ${name} }] } } }`;
    for (const name of STEPS)
      writeFileSync(join(folder, 'functions', `${name}.mjs`), 'export default (event) => ({ data: event.data });\n');
    const steps = STEPS.map(
      (name) => `    - ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: ${name} }`,
    );
    const sequence = `
apiVersion: flows.knative.dev/v1
kind: Sequence
metadata: { name: five }
spec:
  steps:
${steps.join('\n')}
  reply: { uri: "${subscriber.url}" }`;
    writeFileSync(join(folder, 'flow.yaml'), sequence + STEPS.map(service).join(''));
    await using millrace = await startMillrace({ manifests: [folder], data: join(folder, 'data') });
    const taken: number[] = [];
    for (let index = 0; index < 320; index += 1) {
      const before = performance.now();
      const headers = { 'ce-specversion': '1.0', 'ce-id': String(index), 'ce-type': 'bench', 'ce-source': '/bench' };
      const json = { ...headers, 'content-type': 'application/json' };
      await fetch(`${millrace.url}/flows/sequence/default/five`, { method: 'POST', headers: json, body: '{}' });
      await subscriber.count(index + 1);
      taken.push(performance.now() - before);
    }
    const warm = taken.slice(20).toSorted((a, b) => a - b);
    const at = (percent: number) => warm[Math.floor((warm.length * percent) / 100)]!;
    return [
      alone('five functions in a row, warm, end to end, p50', at(50), 'ms'),
      alone('five functions in a row, warm, end to end, p99', at(99), 'ms'),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
