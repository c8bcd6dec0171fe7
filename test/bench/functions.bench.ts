import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { post } from '../support/events.ts';
import { eventually, startMillrace } from '../support/process.ts';
import type { Millrace } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';
import type { Subscriber } from '../support/subscriber.ts';
import { Flow, wallClock } from './functions-manifests.ts';
import { alone, compared, median } from './measure.ts';
import type { Row } from './measure.ts';

const STARTS = Number(process.env['MILLRACE_BENCH_STARTS'] ?? 30);

/** Functions from zero: each figure through the real process, from the POST of an event until the handler is entered. */
export async function functionsBench(): Promise<Row[]> {
  const bare = median(await times(STARTS, bareNode));
  const node = await coldStarts('node');
  const python = await coldStarts('python');
  const [flow, unwarmed] = [await twoSteps([]), await twoSteps(['--no-prewarm'])];
  const warm = await warmHop();
  return [
    compared('cold start of a Node function, p50, beside `node` itself', at(node, 50), 'ms', bare, null),
    alone('cold start of a Node function, p50', at(node, 50), 'ms', 30),
    alone('cold start of a Node function, p95', at(node, 95), 'ms', 80),
    alone('cold start of a Python function with anthropic, p50', at(python, 50), 'ms', 60),
    compared('two functions one after the other, both cold, p50', median(flow), 'ms', at(node, 50), 1.3),
    compared('the same without getting the second one ready', median(unwarmed), 'ms', at(node, 50), null),
    alone('a call by way of the data port, beyond the same call straight', warm, 'ms', 1),
    ...(await idle()),
  ];
}

const at = (values: readonly number[], percent: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor((values.length * percent) / 100))]!;

async function times(count: number, once_: () => Promise<number>): Promise<number[]> {
  const all: number[] = [];
  while (all.length < count) all.push(await once_());
  return all;
}

/** From spawn until a Node process says its first word. */
async function bareNode(): Promise<number> {
  const before = performance.now();
  const child = spawn(process.execPath, ['-e', 'console.log(1)'], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  const took = performance.now() - before;
  await once(child, 'exit');
  return took;
}

/** Each of many functions is called once; the first calls make what is kept ready, and do not count. */
async function coldStarts(language: 'node' | 'python'): Promise<number[]> {
  return inFolder(async (folder) => {
    await using subscriber = await startSubscriber();
    const flow = new Flow(folder, subscriber.url);
    const names = Array.from({ length: STARTS + 3 }, (_, index) => `cold-${index}`);
    for (const name of names) flow[language](name, `ask.${name}`);
    await using millrace = await start(flow);
    const taken: number[] = [];
    for (const name of names) {
      taken.push(await untilEntered(millrace, subscriber, { type: `ask.${name}` }));
      // What the last start has used up is made ready again meanwhile, as it is between events that come now and then.
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    return taken.slice(3);
  });
}

/** A function replies to another; both at zero, and the way has been taken once. */
async function twoSteps(parameters: readonly string[]): Promise<number[]> {
  const pairs = Math.ceil(STARTS / 2);
  return inFolder(async (folder) => {
    await using subscriber = await startSubscriber();
    const flow = new Flow(folder, subscriber.url);
    for (let pair = 0; pair < pairs; pair += 1) {
      flow.node(`first-${pair}`, `first.${pair}`);
      flow.node(`second-${pair}`, `second.${pair}`);
    }
    await using millrace = await start(flow, parameters);
    const taken: number[] = [];
    for (let round = 0; round < 2; round += 1) {
      for (let pair = 0; pair < pairs; pair += 1) {
        taken.push(await untilEntered(millrace, subscriber, { type: `first.${pair}`, reply: `second.${pair}` }));
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      if (round === 0) await eventually(() => (childrenOf(millrace.pid) <= 4 ? true : undefined));
    }
    return taken.slice(pairs);
  });
}

async function untilEntered(
  millrace: Millrace,
  subscriber: Subscriber,
  { type, reply }: { type: string; reply?: string },
): Promise<number> {
  const before = subscriber.received.length;
  const posted = wallClock();
  const extensions: Record<string, string> = reply === undefined ? {} : { reply };
  await post(millrace.broker, { type, extensions });
  const received = (await subscriber.count(before + 1))[before]!;
  return (JSON.parse(received.body.toString()) as { entered: number }).entered - posted;
}

/** One call after the other: by the data port, and straight to the same program. */
async function warmHop(): Promise<number> {
  return inFolder(async (folder) => {
    const flow = new Flow(folder, 'http://127.0.0.1:9/');
    flow.program('warm');
    await using millrace = await start(flow);
    const call = async (url: string): Promise<number> => {
      const before = performance.now();
      await (await fetch(url, { method: 'POST', body: '{}' })).arrayBuffer();
      return performance.now() - before;
    };
    const through = `${millrace.url}/functions/default/warm`;
    const straight = await (await fetch(through)).text();
    await times(200, () => call(through));
    await times(200, () => call(straight));
    return median(await times(500, () => call(through))) - median(await times(500, () => call(straight)));
  });
}

/** A hundred functions that nobody calls. */
async function idle(): Promise<Row[]> {
  return inFolder(async (folder) => {
    await using subscriber = await startSubscriber();
    const flow = new Flow(folder, subscriber.url);
    for (let index = 0; index < 100; index += 1) flow.node(`idle-${index}`, `ask.idle-${index}`);
    await using millrace = await start(flow);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const status = readFileSync(`/proc/${millrace.pid}/status`, 'utf8');
    const megabytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1_024;
    return [
      alone('memory of 100 declared, idle functions', megabytes, 'MB', 150),
      alone('child processes of 100 declared, idle functions', childrenOf(millrace.pid), '', 0),
    ];
  });
}

function childrenOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim())
    .filter((text) => text !== '')
    .reduce((sum, text) => sum + text.split(' ').length, 0);
}

function start(flow: Flow, parameters: readonly string[] = []): Promise<Millrace> {
  return startMillrace({ data: join(flow.folder, 'data'), manifests: [flow.write()], arguments: parameters });
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
