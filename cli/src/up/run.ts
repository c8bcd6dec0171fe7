import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';

import type { FastifyInstance } from 'fastify';

import { apiServer } from '@millrace/apiserver/api/api-server';
import type { ObjectStore } from '@millrace/apiserver/objects/store';
import { openSqliteObjects } from '@millrace/apiserver/objects/sqlite/store';
import { ensureDefinitions } from '@millrace/apiserver/api/definitions';
import { registryOf, servedKinds } from '@millrace/apiserver/registry/registry';
import { openAdmin } from '@millrace/bus/admin/admin';
import { Bus } from '@millrace/bus';
import { FolderInUse, lockFolder } from '@millrace/bus/log/lock';
import { openSqliteStore } from '@millrace/bus/log/sqlite/store';
import { graphOf } from '@millrace/bus/plan/graph';
import { startLogger } from '@millrace/bus/telemetry/logger';
import { startMetrics } from '@millrace/bus/telemetry/metrics';
import { usageIn } from '@millrace/bus/telemetry/usage';
import { showIdentity } from '@millrace/bus/security/tls';
import type { Identity } from '@millrace/bus/security/tls';
import { startTraces, traceOptionsFrom } from '@millrace/bus/telemetry/traces';

import { CommandFailure } from '../exit-codes.ts';
import { version } from '../version.ts';
import { adminGuard, refuseOpenAdmin } from './admin-access.ts';
import { openAuthentication } from './authentication.ts';
import { banner } from './banner.ts';
import { exampleOf } from './example.ts';
import { openLocalFunctions } from './functions.ts';
import { readManifests, refuseFaults } from './manifests.ts';
import { apiAdmission } from './objects/admission.ts';
import { ControlPlane } from './objects/control-plane.ts';
import { typeViews } from './objects/type-views.ts';
import { podLogs } from './objects/serving/pod-logs.ts';
import { makeReload } from './reload.ts';
import type { Settings } from './settings.ts';
import { localSources } from './sources.ts';
import { followIdentity, leaveCertificate, ownCertificate, readIdentity } from './tls-files.ts';
import type { TlsFiles, TlsFlag } from './tls-files.ts';
import { watch } from './watch.ts';
import { watchedObjects } from './watched-objects.ts';

/** Where the process's own output goes, and what it is started with. */
export interface Surroundings {
  /** Progress and logs. */
  write(text: string): void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly colour: boolean;
  readonly command: string;
}

/** A running bus with all that belongs to it. */
export interface Running {
  readonly dataUrl: string;
  readonly adminUrl: string;
  /** Resolves with why, when the log can take nothing more. */
  readonly broken: Promise<Error>;
  /** Ends in order: what was taken is durable, what was begun is over, or the deadline has passed. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts everything that the settings say. Rejects with a {@link CommandFailure} that says what to do; whatever had been
 * opened by then is closed again.
 */
export async function start(settings: Settings, surroundings: Surroundings): Promise<Running> {
  const { environment } = surroundings;
  const write = (text: string) => surroundings.write(text);
  const closing: (() => Promise<void> | void)[] = [];
  let endWatching = async (): Promise<void> => {};
  const opened = <T>(thing: T, close: (thing: T) => Promise<void> | void): T => {
    closing.unshift(() => close(thing));
    return thing;
  };
  const closeAll = async () => {
    for (const close of closing.splice(0)) await close();
  };
  try {
    return await open();
  } catch (error) {
    await closeAll();
    throw asFailure(error, settings);
  }

  async function open(): Promise<Running> {
    // The manifests first: a fault in them must not cost a data folder.
    const readFor = (url: string) =>
      readManifests(settings.manifests, url, { strict: settings.strict, authentication: settings.authentication });
    const read = readFor(`http://${settings.host}:${settings.port}`);
    refuseFaults(read);
    refuseOpenAdmin(settings);
    const identity = settings.tls && readIdentity(settings.tls, '--tls');
    let certificate = identity && ownCertificate(identity);
    const adminIdentity = settings.adminTls && readIdentity(settings.adminTls, '--admin-tls');
    const logger = opened(
      startLogger({
        write,
        format: settings.logFormat,
        level: settings.logLevel,
        now: Date.now,
        colour: surroundings.colour,
        command: surroundings.command,
      }),
      (it) => it.close(),
    );
    opened(lockFolder(settings.dataFolder), (it) => it.release());
    const guard = adminGuard(settings);
    leaveCertificate(settings.dataFolder, '--tls', identity);
    leaveCertificate(settings.dataFolder, '--admin-tls', adminIdentity);
    /** Shows the certificate that is in the files, also after it has changed. */
    const follow = (server: FastifyInstance, files: TlsFiles | undefined, flag: TlsFlag) => {
      if (files === undefined) return;
      const changed = (it: Identity) => {
        showIdentity(server.server, it);
        leaveCertificate(settings.dataFolder, flag, it);
        if (flag === '--tls') certificate = ownCertificate(it);
        logger.info(`${flag}-cert: another certificate is shown from now on`);
      };
      opened(followIdentity(files, flag, { changed, warn: (text) => logger.warn(text) }), (end) => end());
    };
    const functions = opened(
      openLocalFunctions({
        codeFolder: settings.codeFolder,
        environment,
        log: ({ function: name, instance, stream, text, eventId, traceId }) =>
          logger.info(text, { function: name, instance, stream, event: eventId, trace: traceId }),
        news: (text) => logger.info(text),
        stateFolder: join(settings.dataFolder, 'functions'),
        cacheFolder: settings.cacheFolder,
        proxyUrl: () => bus.proxyUrl,
      }),
      (it) => it.close(),
    );
    const objects = opened(
      openObjects(settings.dataFolder, (text) => logger.warn(text)),
      (it) => it.close(),
    );
    const kinds = servedKinds();
    const registry = registryOf(kinds);
    const adminAddress = Promise.withResolvers<string>();
    const authentication = openAuthentication(settings, {
      dataFolder: settings.dataFolder,
      dataUrl: () => dataUrl,
      fetch,
      now: Date.now,
    });
    const traceOptions = tracesWanted(environment);
    const bus: Bus = opened(
      new Bus({
        store: await openSqliteStore(settings.dataFolder),
        functions,
        sources: localSources({
          aliases: settings.aliases,
          logger,
          objects: watchedObjects(objects, registry, adminAddress.promise),
        }),
        aliases: settings.aliases,
        maxEventBytes: settings.maxEventBytes,
        retainMs: settings.retainMs,
        retainBytes: settings.retainBytes,
        trace: traceOptions !== undefined,
        prewarm: settings.prewarm,
        identity,
        authentication: authentication?.bus,
      }),
      (it) => it.close(),
    );
    if (traceOptions !== undefined) opened(await startTraces({ ...traceOptions, logger }), (it) => it.close());
    const metrics = opened(
      startMetrics({ gauges: () => gaugesOf(bus), functions: () => functions.functions.list() }),
      (it) => it.close(),
    );

    const dataUrl = await listen(bus.ingress, settings.host, settings.port, '--port');
    follow(bus.ingress, settings.tls, '--tls');
    // Only now is the port known for sure.
    const controlPlane = opened(
      new ControlPlane({
        store: objects,
        dataUrl,
        authentication: authentication?.plan,
        certificate: () => certificate,
        async apply(plan) {
          await functions.prepare(plan.workloads);
          await bus.apply(plan);
        },
        statuses: () => bus.control.statuses(),
        traffic: settings.eventTypes ? bus.traffic : undefined,
        functions: () => functions.functions.list(),
        routeKeyOf: (route) => bus.control.plan.routes.find(({ name }) => name === route)?.key,
        logger,
        now: Date.now,
      }),
      (it) => it.close(),
    );
    await ensureDefinitions(objects, kinds);
    await controlPlane.start(read.declared);
    const api = opened(
      apiServer({
        store: objects,
        registry,
        admission: apiAdmission({ isAuthenticating: authentication !== undefined }),
        tokens: authentication?.tokens,
        logs: podLogs(functions.functions),
        version,
        failed: (error) => logger.error(`a request to the API failed: ${String(error)}`),
      }),
      (it) => it.close(),
    );

    const startedAt = new Date().toISOString();
    let isBroken: string | undefined;
    const admin = opened(
      openAdmin({
        store: bus.store,
        about: () => ({ version, pid: process.pid, dataUrl, adminUrl, dataFolder: settings.dataFolder, startedAt }),
        resources: () => [...bus.control.statuses().values()],
        verdicts: (entry) => bus.verdicts(entry),
        redrive: (selected) => bus.redrive(selected),
        functions: functions.functions,
        flows: {
          routes: () => [...bus.control.plan.routes, ...[...bus.dispatcher.routes].map((it) => it.route)],
          usageOf: usageIn,
          graph: () => graphOf(bus.control.plan),
        },
        seek: bus.seeking,
        types: () => typeViews(objects, bus.traffic.since(0, Date.now())),
        api,
        guard,
        identity: adminIdentity,
        checks: () => ({ log: isBroken, accepting: bus.isDraining ? 'draining' : undefined }),
        metrics,
      }),
      (it) => it.close(),
    );
    const adminUrl = await listen(admin, settings.adminHost, settings.adminPort, '--admin-port');
    adminAddress.resolve(adminUrl);
    follow(admin, settings.adminTls, '--admin-tls');
    if (settings.watch) {
      const reload = makeReload({
        readAgain: () => readFor(dataUrl),
        read,
        apply: (declared) => controlPlane.filesAre(declared),
        lookAgain: () => functions.functions.lookAgain(),
        logger,
      });
      endWatching = opened(
        watch({
          paths: () => [
            ...settings.manifests.map((it) => resolve(it)),
            ...codeFolders(),
            ...functions.functions.folders(),
          ],
          except: [settings.dataFolder, settings.cacheFolder],
          changed: reload,
          warn: (text) => logger.warn(text),
        }),
        (end) => end(),
      );
    }
    const broken = Promise.race([bus.store.broken, objects.broken]).then((error) => {
      isBroken = error.message;
      return error;
    });

    write(
      banner({
        dataUrl,
        adminUrl,
        dataFolder: settings.dataFolder,
        statuses: bus.control.statuses().values(),
        receipts: read.receipts,
        example: exampleOf(read.declared),
        standIn: functions.standIn,
        command: surroundings.command,
      }),
    );
    let stopped: Promise<void> | undefined;
    return { dataUrl, adminUrl, broken, stop: () => (stopped ??= stop(bus)) };
  }

  function codeFolders(): string[] {
    return settings.codeFolder === undefined ? [] : [settings.codeFolder];
  }

  async function stop(bus: Bus): Promise<void> {
    // Nothing is begun anew any more.
    await endWatching();
    const deadline = new Promise<'late'>((resolve) => {
      setTimeout(() => resolve('late'), settings.drainMs).unref();
    });
    const drained = await Promise.race([bus.drain(), deadline]);
    if (drained === 'late')
      write(
        `deliveries are still under way after ${settings.drainMs / 1_000} s; they are repeated at the next start\n`,
      );
    await closeAll();
  }
}

/** The store of what is declared. Throws a {@link CommandFailure} that says how to go on without it. */
function openObjects(folder: string, warn: (text: string) => void): ObjectStore {
  try {
    return openSqliteObjects(folder, { warn });
  } catch (error) {
    throw new CommandFailure('storage', `what is declared cannot be read: ${(error as Error).message}`);
  }
}

function tracesWanted(environment: Surroundings['environment']) {
  try {
    return traceOptionsFrom(environment);
  } catch (error) {
    throw new CommandFailure('usage', (error as Error).message);
  }
}

async function listen(server: FastifyInstance, host: string, port: number, flag: string): Promise<string> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'EADDRINUSE')
      throw new CommandFailure(
        'conflict',
        `${host}:${port} is taken: stop what listens there, or give another port with ${flag} (0 takes a free one)`,
      );
    if (code === 'EACCES')
      throw new CommandFailure(
        'failure',
        `${host}:${port} may not be used by this user: give a port above 1023 with ${flag}`,
      );
    if (code === 'EADDRNOTAVAIL') throw new CommandFailure('usage', `${host} is no address of this machine`);
    throw error;
  }
  const address = server.server.address() as AddressInfo;
  const scheme = 'setSecureContext' in server.server ? 'https' : 'http';
  return `${scheme}://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

function gaugesOf(bus: Bus) {
  const { entries, waiting, deadLetters } = bus.store.history.counts();
  const inFlight = Object.fromEntries([...bus.dispatcher.routes].map((it) => [it.route.name, it.inFlight]));
  return { entries, waiting, deadLetters, inFlight, lag: bus.lag() };
}

function asFailure(error: unknown, { dataFolder }: Settings): unknown {
  if (error instanceof CommandFailure) return error;
  if (error instanceof FolderInUse) return new CommandFailure('conflict', error.message);
  const { code, message } = error as Error & { code?: string };
  if (code !== undefined && /^E(?:ACCES|PERM|ROFS|EXIST|ISDIR|NOENT|NOTDIR|NOSPC|NAMETOOLONG)$/.test(code)) {
    return new CommandFailure(
      'storage',
      `the data folder ${dataFolder} cannot be used (${message}): give another with --data`,
    );
  }
  if (code === 'ERR_SQLITE_ERROR' && /unable to open/.test(message)) {
    return new CommandFailure(
      'storage',
      `the data folder ${dataFolder} cannot be used (no file can be made there): give another with --data`,
    );
  }
  if (code === 'ERR_SQLITE_ERROR' || /written by another version/.test(message)) {
    return new CommandFailure('storage', `the data in ${dataFolder} cannot be opened: ${message}`);
  }
  return error;
}
