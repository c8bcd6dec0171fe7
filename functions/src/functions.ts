import { homedir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { namesOf } from './deployed/declared.ts';
import type { Declared } from './deployed/declared.ts';
import { DeployedFunction } from './deployed/deployed-function.ts';
import type { FunctionDescription } from './deployed/description.ts';
import { makeLogRing } from './deployed/log-ring.ts';
import type { LogRing } from './deployed/log-ring.ts';
import { openRecords } from './deployed/records.ts';
import type { FunctionLog } from './function-log.ts';
import { openInstaller } from './packages/installer.ts';
import type { RunningFunction } from './running-function.ts';
import { processRuntime } from './runtime/process/process.ts';
import type { Runtime } from './runtime/runtime.ts';

export type { Declared, Traffic } from './deployed/declared.ts';
export type { FunctionDescription, RevisionDescription } from './deployed/description.ts';
export type { InstanceDescription } from './scaling/members.ts';
export type { LogRing } from './deployed/log-ring.ts';
export type { FunctionLog } from './function-log.ts';
export type { FunctionStatus, RunningFunction } from './running-function.ts';

/** The functions that run here. Names are `namespace/service`. */
export interface Functions {
  /** Makes a function callable. Nothing is begun before its first call, unless `minScale` is above 0. */
  start(declared: Declared): ChangeableFunction;
  /** Looks at the code of every function again: where it is another one now, the next revision begins. */
  lookAgain(): void;
  /** The folders in which a change may mean another code. */
  folders(): string[];
  /** Sorted by name. */
  list(): FunctionDescription[];
  /** Undefined when there is none of this name. */
  describe(name: string): FunctionDescription | undefined;
  /**
   * Gives all calls of a function to the revision before, to the one named or, with `latest`, to the newest again; for
   * good, until its code or template changes. Resolves with the name of that revision once it has an instance that
   * takes calls. Rejects with an Error for people; then nothing is changed.
   */
  rollback(name: string, to?: string): Promise<string>;
  /**
   * Sets bounds of a function in the place of those that are declared, for good; null lets what is declared hold again.
   * Throws an Error for people.
   */
  scale(name: string, bounds: { readonly min?: number | null; readonly max?: number | null }): void;
  /** What a function wrote; undefined when there is none of this name. */
  logs(name: string): Omit<LogRing, 'add'> | undefined;
  /** Ends every instance now; calls under way are rejected. Resolves when no process is left. Idempotent. */
  close(): Promise<void>;
}

/** A function whose declaration may change while it runs. */
export interface ChangeableFunction extends RunningFunction {
  /** What it has, it finishes as it was. Calls go to the next revision once that is ready. */
  change(declared: Declared): void;
}

export interface FunctionsOptions {
  readonly clock?: Clock;
  /** From 0 to below 1. Default: the machine's chance. */
  readonly random?: () => number;
  /** Hears every line that a function or the installer of its packages writes. */
  readonly log?: (line: FunctionLog) => void;
  /** Hears what becomes of revisions, a line each, and what is wrong with what is kept of them. */
  readonly news?: (text: string) => void;
  /** Where instances live. Default: processes of this machine. */
  readonly runtime?: Runtime;
  /** What every instance sees unless its function declares otherwise; asked when one begins. For the default runtime. */
  readonly instanceEnvironment?: (() => Readonly<Record<string, string>>) | undefined;
  /** Where revisions are kept, with copies of their code. Without it they are forgotten at the end. */
  readonly stateFolder?: string | undefined;
  /** Where packages are installed; several processes may have the same. Default: `~/.cache/millrace/packages`. */
  readonly cacheFolder?: string | undefined;
  /** Of this process: the installers of packages get what leads to a registry. Default: none but the PATH and HOME. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Opens a place for functions. */
export function openFunctions(options: FunctionsOptions = {}): Functions {
  const { clock = systemClock, random = Math.random, log = () => {}, news = () => {}, stateFolder } = options;
  const { cacheFolder = join(homedir(), '.cache/millrace/packages') } = options;
  const runtime =
    options.runtime ??
    processRuntime({
      now: () => clock.now(),
      environment: options.instanceEnvironment ?? (() => ({})),
    });
  const { PATH, HOME } = process.env;
  const installer = openInstaller({ cacheFolder, environment: options.environment ?? { PATH, HOME }, clock });
  const except = [cacheFolder, ...(stateFolder === undefined ? [] : [stateFolder])];
  const running = new Map<string, { readonly deployed: DeployedFunction; readonly ring: LogRing }>();
  const ending = new Set<DeployedFunction>();

  const find = (name: string) => {
    const found = running.get(name);
    if (found !== undefined) return found.deployed;
    throw new Error(`there is no function ${name}; there are: ${[...running.keys()].toSorted().join(', ') || 'none'}`);
  };

  return {
    start(declared) {
      const { name } = declared;
      const { namespace, service } = namesOf(name);
      const ring = makeLogRing();
      const deployed = new DeployedFunction(declared, {
        place: {
          runtime,
          installer,
          clock,
          log(line) {
            ring.add(line);
            log(line);
          },
        },
        records: openRecords(stateFolder === undefined ? undefined : join(stateFolder, namespace, service), news),
        random,
        news,
        except,
      });
      running.set(name, { deployed, ring });
      return {
        handler: deployed.handler,
        request: (call, how) => deployed.request(call, how),
        room: () => deployed.room(),
        onRoom: (listener) => deployed.onRoom(listener),
        warm: () => deployed.warm(),
        change: (changed) => deployed.change(changed),
        status: () => deployed.status(),
        async drain() {
          // One of the same name may be started while this one finishes what it has.
          if (running.get(name)?.deployed === deployed) running.delete(name);
          ending.add(deployed);
          await deployed.drain();
          ending.delete(deployed);
        },
      };
    },
    lookAgain() {
      for (const { deployed } of running.values()) deployed.lookAgain();
    },
    folders: () => [...new Set([...running.values()].flatMap(({ deployed }) => deployed.folders))],
    list: () => [...running.keys()].toSorted().map((name) => running.get(name)!.deployed.describe()),
    describe: (name) => running.get(name)?.deployed.describe(),
    rollback: async (name, to) => find(name).rollback(to),
    scale: (name, bounds) => find(name).scale(bounds),
    logs: (name) => running.get(name)?.ring,
    async close() {
      const all = [...[...running.values()].map((it) => it.deployed), ...ending];
      await Promise.all([installer.close(), ...all.map((it) => it.close())]);
      await runtime.close();
    },
  };
}
