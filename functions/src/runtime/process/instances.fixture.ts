import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';

import type { Handler } from '@millrace/event/handler';

import type { FunctionLog } from '../../function-log.ts';
import { aContext, anEvent, handlerOf, jsonOf, until } from '../../test-support.ts';
import { WORKLOAD_DEFAULTS } from '../../workload.ts';
import type { Workload } from '../../workload.ts';
import type { Instance, Runtime } from '../runtime.ts';
import { processRuntime } from './process.ts';

/** For tests: an instance, what it has printed, and what it answers. */
export interface Started extends Instance {
  readonly handler: Handler;
  readonly lines: FunctionLog[];
  /** Calls it with this subject; the answer, parsed. */
  // oxlint-disable-next-line typescript/no-explicit-any
  ask(subject?: string): Promise<any>;
}

/** For tests: a folder and a process runtime for each test of a suite, cleared away behind it. */
export function useInstances(): {
  readonly folder: string;
  /** Begins an instance of this code, and does not wait for it. */
  start(code: string, changes?: Partial<Workload>, language?: 'node' | 'python'): Promise<Started>;
} {
  let folder = '';
  let runtime: Runtime;
  let files = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-test-'));
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(() => {
    runtime = processRuntime();
  });
  afterEach(() => runtime.close());
  return {
    get folder() {
      return folder;
    },
    async start(code, changes = {}, language = 'node') {
      const file = join(folder, `code_${(files += 1)}.${language === 'node' ? 'mjs' : 'py'}`);
      await writeFile(file, code);
      const workload: Workload = { ...WORKLOAD_DEFAULTS, name: 'default/tried', code: { language, file }, ...changes };
      const lines: FunctionLog[] = [];
      const instance = runtime.start(workload, (line) => lines.push(line));
      const handler = handlerOf(instance, workload);
      return Object.assign(instance, {
        handler,
        lines,
        ask: async (subject?: string) => jsonOf((await handler(anEvent({ subject }), aContext())).event),
      });
    },
  };
}

/** For tests: time that passes when it is told to. */
export function heldClock(): {
  readonly after: (milliseconds: number, call: () => void) => () => void;
  /** Lets time pass, in steps from timer to timer; between them what was called settles. */
  pass(milliseconds: number): Promise<void>;
} {
  let now = 0;
  const timers = new Set<{ at: number; call: () => void }>();
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    after(milliseconds, call) {
      const timer = { at: now + milliseconds, call };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async pass(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        await settled();
        const [next] = [...timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
        if (next === undefined) break;
        now = next.at;
        timers.delete(next);
        next.call();
      }
      now = end;
    },
  };
}

/** For tests: resolves when no process of this number runs any more; one that nobody has collected yet does not run. */
export async function untilGone(pid: number): Promise<void> {
  await until(() => {
    try {
      process.kill(pid, 0);
      return process.platform === 'linux' && /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    } catch {
      return true;
    }
  });
}
