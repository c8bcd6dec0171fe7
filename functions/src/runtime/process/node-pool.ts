import type { Clock } from '../../clock.ts';
import { handOver } from './handover.ts';
import { idleWorkers } from './idle-workers.ts';
import type { IdleWorkers } from './idle-workers.ts';
import type { Launcher, Order } from './launcher.ts';
import type { Nest } from './nest.ts';
import { keyOf, looksTheSame, preloadOf } from './preload.ts';
import type { Preload, Preloaded } from './preload.ts';
import { basicEnvironment, beginNode } from './spawn.ts';
import type { Worker } from './worker.ts';

/** So many sets of packages have a worker of their own that has loaded them. */
const MAX_PRELOADS = 3;

/** Variables that Node, its libraries or the system read before the first line of an author's could be run. */
const READ_AT_START =
  /^(?:NODE_(?!ENV$|TLS_REJECT_UNAUTHORIZED$)|LD_|UV_|MALLOC_|GLIBC_|OPENSSL_|SSL_CERT_|LC_|LANG$|(?:HTTPS?|ALL|NO)_PROXY$)/i;

/**
 * Begins Node's instances from workers that were spawned before and wait for an order, so that none waits for Node to
 * start. Spawns nothing before the first launch; then keeps `warm` workers, and for the sets of packages that were
 * used last one each that has loaded them already. `environment` is what workers are spawned with beside the basics.
 *
 * A package that reads its environment as it loads reads the worker's. What it looks at is noted; when the function
 * has another value there, it gets a worker that has loaded nothing. Other things that a package may do as it loads
 * (remember the folder it runs in, begin a timer) are not noticed: `MILLRACE_PRELOAD=off`, declared for a function,
 * turns this off for it.
 */
export function nodePool(
  nest: Nest,
  options: {
    environment: () => Readonly<Record<string, string>>;
    warm: number;
    after: Clock['after'];
  },
): Launcher {
  const { warm, after } = options;
  const environment = (): Record<string, string> => ({ ...basicEnvironment(), ...options.environment() });
  const plain = idleWorkers(() => beginNode(nest, environment()), after);
  /** By key, the last used last. Undefined: its packages cannot be loaded ahead. */
  const preloads = new Map<string, IdleWorkers<LoadingWorker> | undefined>();

  function takePreloaded(key: string, order: Order): Worker | undefined {
    const workers = preloads.get(key);
    const taken = workers?.take(({ preloaded }) => preloaded !== undefined);
    if (taken?.preloaded === undefined) return undefined;
    if (looksTheSame(taken.preloaded, environment(), order.environment)) return taken;
    taken.kill();
    giveUp(key, workers);
    return undefined;
  }
  function giveUp(key: string, workers: IdleWorkers<LoadingWorker> | undefined): void {
    if (preloads.get(key) !== workers) return;
    preloads.set(key, undefined);
    void workers?.keep(0);
  }
  function begin(key: string, preload: Preload): IdleWorkers<LoadingWorker> {
    const workers: IdleWorkers<LoadingWorker> = idleWorkers(
      () => beginLoading(nest, environment(), preload, () => giveUp(key, workers)),
      after,
    );
    return workers;
  }
  function keepPreloaded(key: string, preload: Preload): void {
    const workers = preloads.has(key) ? preloads.get(key) : begin(key, preload);
    preloads.delete(key);
    preloads.set(key, workers);
    for (const [oldest, idle] of [...preloads].slice(0, -MAX_PRELOADS)) {
      preloads.delete(oldest);
      void idle?.keep(0);
    }
    void workers?.keep(1);
  }
  /** Once the instance is up: those who come next must not take the processor away from it. */
  function refill(preload: Preload | undefined): void {
    void plain.keep(warm);
    if (preload !== undefined) keepPreloaded(keyOf(preload), preload);
  }
  let life = {};
  return {
    launch(order) {
      const launchCold = (): ReturnType<Worker['specialise']> => beginNode(nest, order.environment).specialise(order);
      if (Object.keys(order.workload.environment).some((name) => READ_AT_START.test(name))) return launchCold();
      const preload = warm > 0 ? preloadOf(order) : undefined;
      const worker = (preload && takePreloaded(keyOf(preload), order)) ?? plain.take();
      const launched = worker === undefined ? launchCold() : handOver(worker.specialise(order), launchCold);
      const ofThisLife = life;
      void launched.told.then(() => {
        if (life === ofThisLife) refill(preload);
      });
      return launched;
    },
    async close() {
      life = {};
      const all = [plain, ...preloads.values()];
      preloads.clear();
      await Promise.all(all.map(async (idle) => idle?.keep(0)));
    },
  };
}

/** A worker that loads packages, then knows what they looked at. */
type LoadingWorker = Worker & { preloaded: Preloaded | undefined };

function beginLoading(
  nest: Nest,
  environment: Readonly<Record<string, string>>,
  preload: Preload,
  failed: () => void,
): LoadingWorker {
  const worker: LoadingWorker = { ...beginNode(nest, environment), preloaded: undefined };
  void worker.preload(preload).then((preloaded) => {
    worker.preloaded = preloaded;
    if (preloaded === undefined) failed();
  });
  return worker;
}
