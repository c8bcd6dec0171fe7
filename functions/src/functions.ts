import type { FunctionLog } from './function-log.ts';
import { ScaledFunction } from './scaled-function.ts';
import type { RunningFunction } from './running-function.ts';
import { processRuntime } from './runtime/process.ts';
import type { Runtime } from './runtime/runtime.ts';
import type { Workload } from './workload.ts';

export type { FunctionLog } from './function-log.ts';
export type { FunctionStatus, RunningFunction } from './running-function.ts';

/** The functions that run here. */
export interface Functions {
  /** Makes a function callable. Nothing is begun before its first call, unless `minScale` is above 0. */
  start(workload: Workload): RunningFunction;
  /** Ends every instance now; calls under way are rejected. Resolves when no process is left. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens a place for functions. `runtime` is where their instances live, by default processes of this machine;
 * `log` hears every line that they write; `now` is the clock, in milliseconds since 1970.
 */
export function openFunctions(
  options: {
    now?: () => number;
    log?: (line: FunctionLog) => void;
    runtime?: Runtime;
  } = {},
): Functions {
  const now = options.now ?? Date.now;
  const log = options.log ?? (() => {});
  const runtime = options.runtime ?? processRuntime({ now });
  const running = new Set<ScaledFunction>();
  return {
    start(workload) {
      const started = new ScaledFunction(workload, runtime, log, now);
      running.add(started);
      return {
        handler: started.handler,
        status: () => started.status(),
        drain: () => started.drain().finally(() => running.delete(started)),
      };
    },
    async close() {
      await Promise.all([...running].map((started) => started.close()));
      running.clear();
    },
  };
}
