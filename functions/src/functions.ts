import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import type { FunctionLog } from './function-log.ts';
import type { RunningFunction } from './running-function.ts';
import { processRuntime } from './runtime/process/process.ts';
import type { Runtime } from './runtime/runtime.ts';
import { ScaledFunction } from './scaling/scaled-function.ts';
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
 * `log` hears every line that they write.
 */
export function openFunctions(
  options: {
    clock?: Clock;
    log?: (line: FunctionLog) => void;
    runtime?: Runtime;
  } = {},
): Functions {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? (() => {});
  const runtime = options.runtime ?? processRuntime({ now: () => clock.now() });
  const running = new Set<ScaledFunction>();
  return {
    start(workload) {
      const started = new ScaledFunction({ workload, runtime, log, clock });
      running.add(started);
      return {
        handler: started.handler,
        request: (call) => started.request(call),
        room: () => started.room(),
        onRoom: (listener) => started.onRoom(listener),
        warm: () => started.warm(),
        status: () => {
          const status = started.status();
          return { ...status, reason: status.state === 'failing' ? 'CrashLoop' : '' };
        },
        drain: () => started.drain().finally(() => running.delete(started)),
      };
    },
    async close() {
      await Promise.all([...running].map((started) => started.close()));
      running.clear();
      await runtime.close();
    },
  };
}
