import type { Runtime } from '../runtime.ts';
import { ProcessInstance } from './instance.ts';
import type { Launch } from './launcher.ts';
import { makeNest } from './nest.ts';
import { spawnRunner } from './spawn.ts';

/**
 * Instances as child processes of this one, each in a process group and a temporary folder of its own, spoken to over
 * a unix domain socket. They end when this process does, even by SIGKILL. For POSIX systems.
 */
export function processRuntime(options: { now?: () => number } = {}): Runtime {
  const now = options.now ?? Date.now;
  const nest = makeNest();
  const launch: Launch = spawnRunner(nest);
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
      await Promise.all([...instances].map((instance) => instance.kill()));
    },
  };
}
