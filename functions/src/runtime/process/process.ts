import { systemClock } from '../../clock.ts';
import type { Runtime } from '../runtime.ts';
import type { Workload } from '../../workload.ts';
import { ProcessInstance } from './instance.ts';
import type { Launch, Launcher } from './launcher.ts';
import { makeLimiter } from './limits.ts';
import { makeNest } from './nest.ts';
import { nodePool } from './node-pool.ts';
import { programs } from './program.ts';
import { pythonForks } from './python-forks.ts';

/**
 * Instances as child processes of this one, each in a process group and a temporary folder of its own, spoken to over
 * a unix domain socket or a port of 127.0.0.1. They end when this process does, even by SIGKILL. For POSIX systems.
 *
 * `environment` is what every instance sees unless its function declares otherwise, such as a proxy; it is asked when an
 * instance begins. `warm` is how many
 * processes of Node wait for an instance to come, once there was one: 2 unless said otherwise.
 */
export function processRuntime(
  options: { now?: () => number; environment?: () => Readonly<Record<string, string>>; warm?: number } = {},
): Runtime {
  const now = options.now ?? Date.now;
  const { environment = () => ({}), warm = 2 } = options;
  const nest = makeNest();
  const limiter = makeLimiter();
  const node = nodePool(nest, { environment, warm, after: systemClock.after });
  const launchers: Partial<Record<Workload['code']['language'], Launcher>> = {
    node,
    python: pythonForks(nest, { environment, warm: warm > 0, after: systemClock.after }),
    program: programs(nest, node, systemClock.after),
  };
  const launch: Launch = (order) => {
    const { language } = order.workload.code;
    const launcher = launchers[language];
    if (launcher === undefined) throw new TypeError(`a function of the kind ${language} cannot run as a process`);
    return launcher.launch({ ...order, environment: { ...environment(), ...order.environment } });
  };
  const instances = new Set<ProcessInstance>();
  let begun = 0;
  return {
    start(workload, log) {
      const id = String((begun += 1));
      const folder = nest.enter(id);
      try {
        const instance = new ProcessInstance(workload, { id, folder, nest, launch, log, now, limiter });
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
