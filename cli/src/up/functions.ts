import { dirname, resolve } from 'node:path';

import type { FunctionHost } from '@millrace/bus/control/ports';
import type { Workload } from '@millrace/bus/plan/plan';
import { openFunctions } from '@millrace/functions/functions';
import type { Declared, FunctionLog, Functions } from '@millrace/functions/functions';
import type { StandInModel } from '@millrace/functions/stand-in/stand-in-model';

export interface LocalFunctionsOptions {
  readonly codeFolder: string | undefined;
  /** Of this process: an optional variable that nothing declared provides is taken from here. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: (line: FunctionLog) => void;
  /** Hears what becomes of revisions, a line each. */
  readonly news: (text: string) => void;
  /** Where revisions are kept. */
  readonly stateFolder: string;
  /** Where packages are installed. */
  readonly cacheFolder: string;
  /** The proxy that knows the names of the cluster; asked when an instance begins. */
  readonly proxyUrl: () => string | undefined;
}

export interface LocalFunctions extends FunctionHost {
  /** What is known of each, and what can be done with it. */
  readonly functions: Omit<Functions, 'start' | 'close'>;
  /** The address of the stand-in for the model, once a function needed it. */
  readonly standIn: string | undefined;
  /** Starts the stand-in for the model if one of these needs it. To be called before they are started. */
  prepare(workloads: readonly Workload[]): Promise<void>;
  close(): Promise<void>;
}

const KEY = 'ANTHROPIC_API_KEY';

/** Declared functions as processes of this machine. */
export function openLocalFunctions(options: LocalFunctionsOptions): LocalFunctions {
  const { log, news, stateFolder, cacheFolder, environment } = options;
  const functions = openFunctions({
    log,
    news,
    stateFolder,
    cacheFolder,
    environment,
    instanceEnvironment: () => throughProxy(options.proxyUrl()),
  });
  let standIn: StandInModel | undefined;

  return {
    functions,
    get standIn() {
      return standIn?.url;
    },
    async prepare(workloads) {
      if (standIn !== undefined || !workloads.some((it) => needsStandIn(it, options))) return;
      const { startStandInModel } = await import('@millrace/functions/stand-in/stand-in-model');
      standIn = await startStandInModel();
    },
    start(workload) {
      const running = functions.start(declaredBy(workload));
      return { ...running, change: (changed) => running.change(declaredBy(changed)) };
    },
    async close() {
      await functions.close();
      await standIn?.close();
    },
  };

  function declaredBy(workload: Workload): Declared {
    const { namespace, service, image, code: annotation, command, arguments: parameters, speaks } = workload;
    const { name, environment: variables, secretValues, timeoutMs, concurrency, scaling, limits } = workload;
    const own = fromHost(workload, options);
    return {
      name,
      code: {
        namespace,
        service,
        image,
        annotation,
        manifestFolder: resolve(dirname(workload.manifest)),
        codeFolder: options.codeFolder,
        command,
        arguments: parameters,
        speaks,
      },
      environment: variables,
      provided: { ...own, ...standInVariables(workload) },
      secretValues: [...secretValues, ...Object.values(own)],
      timeoutMs,
      concurrency,
      scaling,
      limits,
      readiness: workload.readiness,
      liveness: workload.liveness,
      progressDeadlineMs: workload.progressDeadlineMs,
      terminationGraceMs: workload.terminationGraceMs,
      revisionName: workload.revisionName,
      traffic: workload.traffic,
    };
  }

  function standInVariables(workload: Workload): Record<string, string> {
    if (standIn === undefined || !needsStandIn(workload, options)) return {};
    return { [KEY]: 'no-key-needed-for-the-stand-in', ANTHROPIC_BASE_URL: standIn.url };
  }
}

/** For code that only knows `http://<service>.<namespace>.svc.cluster.local`. Names without `http:` go out directly. */
function throughProxy(url: string | undefined): Record<string, string> {
  if (url === undefined) return {};
  const direct = '127.0.0.1,localhost,::1';
  // Programs differ in which spelling they read; Node reads either only when it is told to.
  return { HTTP_PROXY: url, http_proxy: url, NO_PROXY: direct, no_proxy: direct, NODE_USE_ENV_PROXY: '1' };
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
