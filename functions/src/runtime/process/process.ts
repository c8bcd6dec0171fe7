import type { Runtime } from '../runtime.ts';
import type { Workload } from '../../workload.ts';
import { ProcessInstance } from './instance.ts';
import type { Launch } from './launcher.ts';
import { makeNest } from './nest.ts';
import { spawnRunner } from './spawn.ts';

/** Who begins the processes of one language, and what it holds ready for that. */
interface Launcher {
  readonly launch: Launch;
  /** Ends what it holds ready. A launch after that is all right. */
  close(): Promise<void>;
}

/**
 * Instances as child processes of this one, each in a process group and a temporary folder of its own, spoken to over
 * a unix domain socket or a port of 127.0.0.1. They end when this process does, even by SIGKILL. For POSIX systems.
 *
 * `environment` is what every instance sees unless its function declares otherwise, such as a proxy.
 */
export function processRuntime(
  options: { now?: () => number; environment?: Readonly<Record<string, string>> } = {},
): Runtime {
  const now = options.now ?? Date.now;
  const { environment = {} } = options;
  const nest = makeNest();
  const launchers: Partial<Record<Workload['code']['language'], Launcher>> = {
    node: { launch: spawnRunner(nest), close: async () => {} },
    python: { launch: spawnRunner(nest), close: async () => {} },
  };
  const launch: Launch = (order) => {
    const { language } = order.workload.code;
    const launcher = launchers[language];
    if (launcher === undefined) throw new TypeError(`a function of the kind ${language} cannot run as a process`);
    return launcher.launch({ ...order, environment: { ...environment, ...order.environment } });
  };
  const instances = new Set<ProcessInstance>();
  let begun = 0;
  return {
    start(workload, log) {
      const id = String((begun += 1));
      const folder = nest.enter(id);
      try {
        const instance = new ProcessInstance(workload, { id, folder, nest, launch, log, now });
        instances.add(instance);
        void instance.ended.then(() => instances.delete(instance));
        return instance;
      } catch (error) {
        void nest.leave(folder);
        throw error;
      }
    },
    async close() {
      await Promise.all([
        ...Object.values(launchers).map((launcher) => launcher.close()),
        ...[...instances].map((instance) => instance.kill()),
      ]);
    },
  };
}
