import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';

import { HandlerFailure } from '@millrace/event/handler';

import type { Clock } from '../clock.ts';
import { openFunctions } from '../functions.ts';
import type { Functions, FunctionsOptions } from '../functions.ts';
import type { Instance, Runtime } from '../runtime/runtime.ts';
import { aContext, anEvent, textOf } from '../test-support.ts';
import { WORKLOAD_DEFAULTS } from '../workload.ts';
import type { Workload } from '../workload.ts';
import type { Declared } from './declared.ts';
import type { RunningFunction } from '../running-function.ts';

/** A temporary folder with code in it, and functions over it whose instances are scripted. */
export interface Bench extends AsyncDisposable {
  readonly folder: string;
  readonly runtime: ScriptedRuntime;
  readonly news: string[];
  functions: Functions;
  /** Writes a file of the folder. */
  write(path: string, text: string, mode?: number): string;
  /** The declaration of `default/agent`, whose code is looked for in the folder. */
  declared(changes?: Partial<Declared>): Declared;
  /** Ends the functions, and opens them again over the same state. */
  restart(): Promise<void>;
}

/** Instances that need no process: what their file says is what they answer, with the variables it names. */
export interface ScriptedRuntime extends Runtime {
  readonly begun: Workload[];
  /** How many instances are there. */
  readonly living: number;
  /** Calls that wait, while a file says `hold`. */
  readonly held: (() => void)[];
  /** While it is set, an instance is not ready before it resolves. */
  gate: Promise<void> | undefined;
}

export function openBench(options: Partial<FunctionsOptions> & { readonly inMemory?: boolean } = {}): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-deployed-'));
  const runtime = scriptedRuntime();
  const news: string[] = [];
  const open = () =>
    openFunctions({
      runtime,
      news: (text) => news.push(text),
      stateFolder: options.inMemory === true ? undefined : join(folder, 'state'),
      cacheFolder: join(folder, 'cache'),
      ...options,
    });
  const bench: Bench = {
    folder,
    runtime,
    news,
    functions: open(),
    write(path, text, mode) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      if (mode !== undefined) chmodSync(file, mode);
      return file;
    },
    declared: (changes = {}) => ({
      ...WORKLOAD_DEFAULTS,
      name: 'default/agent',
      code: { namespace: 'default', service: 'agent', manifestFolder: folder },
      ...changes,
    }),
    async restart() {
      await bench.functions.close();
      bench.functions = open();
    },
    async [Symbol.asyncDispose]() {
      await bench.functions.close();
      rmSync(folder, { recursive: true });
    },
  };
  return bench;
}

/** What the function answers to an event. */
export async function answerOf(running: RunningFunction): Promise<string> {
  return textOf((await running.handler(anEvent(), aContext())).event);
}

/** What the function answers to a call, and the revision that did. */
export async function requestOf(running: RunningFunction, tag?: string): Promise<string> {
  const { signal } = aContext();
  const call = { method: 'GET', path: '/', rawHeaders: [], body: Readable.from([]), signal };
  const answer = await running.request(call, { tag });
  const chunks: Buffer[] = [];
  for await (const chunk of answer.body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** A clock that stands until it is moved. */
export function heldClock(): Clock & { advance(milliseconds: number): void } {
  let now = Date.UTC(2030, 0);
  const timers = new Set<{ at: number; call: () => void }>();
  return {
    now: () => now,
    after(milliseconds, call) {
      const timer = { at: now + milliseconds, call };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(milliseconds) {
      now += milliseconds;
      for (const timer of [...timers].filter((it) => it.at <= now)) if (timers.delete(timer)) timer.call();
    },
  };
}

function scriptedRuntime(): ScriptedRuntime {
  const living = new Set<Instance>();
  const runtime: ScriptedRuntime & { begun: Workload[]; held: (() => void)[] } = {
    begun: [],
    held: [],
    gate: undefined,
    get living() {
      return living.size;
    },
    start(workload) {
      runtime.begun.push(workload);
      const text = textFor(workload);
      const { promise: ended, resolve } = Promise.withResolvers<string>();
      const isBroken = text.includes('broken');
      let inFlight = 0;
      let idle = (): void => {};
      const end = async (): Promise<void> => {
        resolve('ended');
        await ended;
      };
      const instance: Instance = {
        id: String(runtime.begun.length),
        ready: (async () => {
          await runtime.gate;
          if (!isBroken) return;
          resolve('ended');
          throw new Error(`SyntaxError in ${text}`);
        })(),
        notes: [],
        ended,
        async call(call) {
          inFlight += 1;
          if (text.includes('hold')) await new Promise<void>((release) => runtime.held.push(release));
          inFlight -= 1;
          if (inFlight === 0) idle();
          if (text.includes('fails')) throw new HandlerFailure('it fails', { status: 500 });
          const isRequest = call.method === 'GET';
          const body = isRequest ? `${workload.revision}: ${text}` : text;
          return { status: 200, rawHeaders: ['content-type', 'text/plain'], body: Readable.from([Buffer.from(body)]) };
        },
        async stop() {
          if (inFlight > 0) await new Promise<void>((done) => (idle = done));
          await end();
        },
        kill: end,
      };
      living.add(instance);
      void ended.then(() => living.delete(instance));
      instance.ready.catch(() => {});
      return instance;
    },
    close: async () => {},
  };
  return runtime;
}

/** The text of its file, `$NAME` replaced. */
function textFor({ code, environment }: Workload): string {
  const file = code.language === 'program' ? code.command[0]! : 'file' in code ? code.file : '';
  return readFileSync(file, 'utf8').replaceAll(/\$(\w+)/g, (_whole, name: string) => environment[name] ?? '?');
}
