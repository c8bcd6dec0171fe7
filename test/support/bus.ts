import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Bus } from '@millrace/bus';
import type { BusOptions } from '@millrace/bus';
import type { DeadLetter } from '@millrace/bus/log/history';
import type { Entry } from '@millrace/bus/log/log';
import type { Waiting } from '@millrace/bus/log/progress';
import { openSqliteStore } from '@millrace/bus/log/sqlite/store';
import { compilePlan } from '@millrace/bus/plan/compile';
import type { AuthorizationMode } from '@millrace/bus/plan/protection';
import { unavailable } from '@millrace/functions/unavailable';
import { formatFault } from '@millrace/resources/fault';
import { readManifest } from '@millrace/resources/manifest';

/** A bus of its own in a temporary folder, on a free port. */
export interface TestBus extends AsyncDisposable {
  readonly bus: Bus;
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly folder: string;
  /** Applies manifests; throws their faults. */
  apply(yaml: string): Promise<void>;
  /** Resolves with the dead letters once there are so many. */
  deadLetters(count: number): Promise<readonly DeadLetter[]>;
  /** Resolves with the delivery of a trigger in `default` that waits for its next attempt, once there is one. */
  waiting(trigger: string): Promise<Waiting>;
  /** Resolves when everything that was taken is delivered, filtered out or dead, and nothing waits. */
  settled(): Promise<void>;
  /** All entries of the log, the oldest first. */
  entries(): readonly Entry[];
  /** Ends it and starts another on the same data. */
  restart(): Promise<TestBus>;
}

export async function startBus(
  options: Partial<BusOptions> & {
    readonly folder?: string;
    /** Of whom no policy speaks, where senders are authenticated. */
    readonly mode?: AuthorizationMode;
  } = {},
): Promise<TestBus> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'millrace-test-'));
  const bus = new Bus({
    functions: { start: ({ name }) => ({ ...unavailable('CodeNotFound', `no code for ${name}`), change() {} }) },
    sources: () => {
      throw new Error('no sources in this test');
    },
    ...options,
    store: options.store ?? (await openSqliteStore(folder)),
  });
  await bus.ingress.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(bus.ingress.server.address() as AddressInfo).port}`;
  const end = async () => {
    await bus.drain();
    await bus.close();
  };
  return {
    bus,
    url,
    folder,
    async apply(yaml) {
      const manifest = readManifest(yaml, 'test.yaml');
      if (manifest.faults.length > 0) throw new Error(manifest.faults.map(formatFault).join('\n'));
      const authentication = options.authentication && { mode: options.mode };
      const plan = compilePlan(manifest.declared, url, { authentication });
      if (plan.faults.length > 0) throw new Error(plan.faults.map((it) => `${it.path}: ${it.message}`).join('\n'));
      await bus.apply(plan);
    },
    deadLetters: (count) =>
      eventually(() => {
        const letters = bus.store.deadLetters.list({ limit: 1_000 });
        return letters.length >= count ? letters : undefined;
      }),
    waiting: (trigger) => eventually(() => bus.store.progress.waiting(`trigger/default/${trigger}`, 1)[0]),
    async settled() {
      await eventually(() => (isSettled(bus) ? true : undefined));
    },
    entries: () => bus.store.history.entries({ limit: 1_000_000 }).toReversed(),
    async restart() {
      await end();
      return startBus({ ...options, folder });
    },
    async [Symbol.asyncDispose]() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function isSettled(bus: Bus): boolean {
  const behind = Object.values(bus.lag()).some((lag) => lag > 0);
  const busy = [...bus.dispatcher.routes].some((route) => route.inFlight > 0);
  const waiting = Object.values(bus.store.history.counts().waiting).some((count) => count > 0);
  return !behind && !busy && !waiting;
}

/** Looks until there is something to see. */
async function eventually<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const seen = look();
    if (seen !== undefined) return seen;
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}
