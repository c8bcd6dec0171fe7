import { dirname } from 'node:path';

import type { FunctionHost } from '@millrace/bus/control/ports';
import type { Workload } from '@millrace/bus/plan/plan';
import { findCode } from '@millrace/functions/find-code';
import { openFunctions } from '@millrace/functions/functions';
import type { FunctionLog } from '@millrace/functions/functions';
import type { RunningFunction as LocalFunction } from '@millrace/functions/running-function';
import { unavailable } from '@millrace/functions/unavailable';
import type { StandInModel } from '@millrace/functions/stand-in/stand-in-model';

export interface LocalFunctionsOptions {
  readonly codeFolder: string | undefined;
  /** Of this process: an optional variable that nothing declared provides is taken from here. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: (line: FunctionLog) => void;
}

export interface LocalFunctions extends FunctionHost {
  /** The address of the stand-in for the model, once a function needed it. */
  readonly standIn: string | undefined;
  /** Starts the stand-in for the model if one of these needs it. To be called before they are started. */
  prepare(workloads: readonly Workload[]): Promise<void>;
  close(): Promise<void>;
}

const KEY = 'ANTHROPIC_API_KEY';

/** Declared functions as processes of this machine. */
export function openLocalFunctions(options: LocalFunctionsOptions): LocalFunctions {
  const functions = openFunctions({ log: options.log });
  let standIn: StandInModel | undefined;

  return {
    get standIn() {
      return standIn?.url;
    },
    async prepare(workloads) {
      if (standIn !== undefined || !workloads.some((it) => needsStandIn(it, options))) return;
      const { startStandInModel } = await import('@millrace/functions/stand-in/stand-in-model');
      standIn = await startStandInModel();
    },
    start(workload) {
      let current = begin(workload);
      return {
        handler: (event, context) => current.handler(event, context),
        request: (call, how) => current.request(call, how),
        room: () => current.room(),
        onRoom: (listener) => current.onRoom(listener),
        warm: () => current.warm(),
        change(changed) {
          const before = current;
          current = begin(changed);
          void before.drain();
        },
        status: () => current.status(),
        drain: () => current.drain(),
      };
    },
    async close() {
      await functions.close();
      await standIn?.close();
    },
  };

  function begin(workload: Workload): LocalFunction {
    const { namespace, service, image, code: annotation } = workload;
    const found = findCode({
      namespace,
      service,
      image,
      ...(annotation === undefined ? {} : { annotation }),
      manifestFolder: dirname(workload.manifest),
      ...(options.codeFolder === undefined ? {} : { codeFolder: options.codeFolder }),
    });
    if ('lookedAt' in found) {
      return unavailable('CodeNotFound', `found no code for it; looked at ${found.lookedAt.join(', ')}`);
    }
    const { name, timeoutMs, concurrency, scaling, limits, readiness } = workload;
    const own = fromHost(workload, options);
    return functions.start({
      name,
      revision: `${service}-00001`,
      code: found.code,
      environment: { ...own, ...workload.environment, ...standInVariables(workload) },
      secretValues: [...workload.secretValues, ...Object.values(own)],
      timeoutMs,
      concurrency,
      scaling,
      limits,
      readiness,
    });
  }

  function standInVariables(workload: Workload): Record<string, string> {
    if (standIn === undefined || !needsStandIn(workload, options)) return {};
    return { [KEY]: 'no-key-needed-for-the-stand-in', ANTHROPIC_BASE_URL: standIn.url };
  }
}

/** A function that asks for a key as optional, and there is none anywhere. */
function needsStandIn(workload: Workload, { environment }: LocalFunctionsOptions): boolean {
  return (
    workload.open.includes(KEY) &&
    environment[KEY] === undefined &&
    workload.environment['ANTHROPIC_BASE_URL'] === undefined
  );
}

function fromHost({ open }: Workload, { environment }: LocalFunctionsOptions): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of open) {
    const value = environment[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}
