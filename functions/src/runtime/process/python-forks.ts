import type { Clock } from '../../clock.ts';
import { beginForkServer } from './fork-server.ts';
import type { ForkServer, ForkablePython } from './fork-server.ts';
import { handOver } from './handover.ts';
import type { Launcher } from './launcher.ts';
import type { Nest } from './nest.ts';
import { looksTheSame } from './preload.ts';
import { pythonImports } from './python-imports.ts';
import { PYTHON_FLAGS, basicEnvironment, spawnRunner } from './spawn.ts';
import { runnerFile } from './worker.ts';

/** So many sets of imports have a server of their own. */
const MAX_SERVERS = 4;
const IDLE_MS = 5 * 60_000;

/** Variables that Python, its libraries or the system read before the first line of an author's could be run. */
const READ_AT_START = /^(?:PYTHON|LD_|DYLD_|MALLOC_|GLIBC_|OPENSSL_|OMP_|OPENBLAS_|MKL_|LC_|(?:PATH|LANG|LANGUAGE)$)/;

/** A fork server and what it was begun for. */
interface Served {
  readonly server: ForkServer;
  readonly packages: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly imports: readonly string[];
  /** Calls off its end. */
  stay: () => void;
}

/**
 * Begins Python's instances by forking a process that has imported already what their files import: one server for
 * each set of a packages folder and imports, begun when the first function needs it. That function waits for it, as it
 * would have to import the same. At most four; the one that was used longest ago goes, or the function is begun without.
 * A server without instances goes after five minutes.
 *
 * A function is begun without a server, as a fresh process, when `warm` is off or `MILLRACE_PRELOAD=off` is declared
 * for it; when it declares variables that are read as Python starts, or that an import has looked at and found other;
 * when it has a neighbour of the name of a module that is loaded; and when an import began a thread or opened a file.
 * `environment` is what servers see beside the basics.
 */
export function pythonForks(
  nest: Nest,
  options: { environment: () => Readonly<Record<string, string>>; warm: boolean; after: Clock['after'] },
): Launcher {
  const launchCold = spawnRunner(nest);
  /** The last used last. */
  let servers: Served[] = [];
  /** Sets of imports that no server is of use for. */
  const unfit = new Set<string>();
  const standard = new Set<string>();
  const ending = new Set<Promise<void>>();
  let begun = 0;

  /** Two sets with the same key import the same; what is standard does not count, once that is known. */
  function keyOf(imports: readonly string[], ...rest: unknown[]): string {
    const foreign = imports.filter((name) => !standard.has(name.split('.', 1)[0]!));
    return JSON.stringify([foreign, ...rest]);
  }
  function serverFor(packages: string | undefined, imports: readonly string[]): Served | undefined {
    const environment = { ...basicEnvironment(), ...options.environment() };
    const key = keyOf(imports, packages, environment);
    if (unfit.has(key)) return undefined;
    const found = servers.find((one) => keyOf(one.imports, one.packages, one.environment) === key);
    return found ?? begin(packages, imports, environment);
  }
  function begin(
    packages: string | undefined,
    imports: readonly string[],
    environment: Readonly<Record<string, string>>,
  ): Served | undefined {
    if (servers.length >= MAX_SERVERS) {
      const oldest = servers.find(({ server }) => server.children === 0);
      if (oldest === undefined) return undefined;
      end(oldest);
    }
    const parameters = [...PYTHON_FLAGS, runnerFile('python-runner.py')];
    const name = `python-${(begun += 1)}`;
    const server = beginForkServer(nest, { name, command: 'python3', parameters, environment, packages, imports });
    const served: Served = { server, packages, environment, imports, stay: () => {} };
    servers.push(served);
    void server.preloaded.then((python) => {
      for (const module of python?.standard ?? []) standard.add(module);
      if (python === undefined && servers.includes(served)) giveUp(served);
    });
    void server.exit.then(() => end(served));
    return served;
  }
  function giveUp(served: Served): void {
    unfit.add(keyOf(served.imports, served.packages, served.environment));
    end(served);
  }
  function end(served: Served): void {
    served.stay();
    servers = servers.filter((one) => one !== served);
    const ended = served.server.retire().finally(() => ending.delete(ended));
    ending.add(ended);
  }
  function use(served: Served): void {
    served.stay();
    servers = [...servers.filter((one) => one !== served), served];
  }
  function leave(served: Served): void {
    if (served.server.children > 0 || !servers.includes(served)) return;
    served.stay();
    served.stay = options.after(IDLE_MS, () => end(served));
  }
  return {
    launch(order) {
      const { code, environment } = order.workload;
      const isCold = environment['MILLRACE_PRELOAD'] === 'off' || Object.keys(environment).some(isReadAtStart);
      if (!options.warm || isCold || code.language !== 'python') return launchCold(order);
      const { modules, neighbours } = pythonImports(code.file, code.origin);
      const served = serverFor(code.packages, modules);
      if (served === undefined) return launchCold(order);
      use(served);
      const fits = (python: ForkablePython): boolean => {
        if (python.modules.some((name) => neighbours.has(name))) return false;
        const isSame = looksTheSame(python, served.environment, order.environment);
        if (!isSame && looksAtItsPlace(python)) giveUp(served);
        return isSame;
      };
      const forked = served.server.fork(order, fits);
      void forked.exit.then(() => leave(served));
      return handOver(forked, () => launchCold(order));
    },
    async close() {
      for (const served of servers) end(served);
      unfit.clear();
      await Promise.all(ending);
    },
  };
}

function isReadAtStart(name: string): boolean {
  return READ_AT_START.test(name);
}

/** Every instance has another home: a server whose imports ask for it is of use to none. */
function looksAtItsPlace({ looks }: ForkablePython): boolean {
  return looks.some((name) => ['*', 'HOME', 'TMPDIR'].includes(name));
}
