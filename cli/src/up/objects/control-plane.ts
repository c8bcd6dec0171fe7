import { ensureNamespaces } from '@millrace/apiserver/api/namespaces';
import { groupOf } from '@millrace/apiserver/objects/object';
import type { ObjectStore } from '@millrace/apiserver/objects/store';
import { compilePlan } from '@millrace/bus/plan/compile';
import type { Plan, Status } from '@millrace/bus/plan/plan';
import type { Authentication } from '@millrace/bus/plan/security';
import type { Logger } from '@millrace/bus/telemetry/logger';
import type { SeenType, Traffic } from '@millrace/bus/telemetry/traffic';
import type { FunctionDescription } from '@millrace/functions/functions';
import type { Declared } from '@millrace/resources/manifest';
import type { ServiceSpec } from '@millrace/resources/service';

import { declaredObjects, meaningfulTypes } from './declared.ts';
import { changesForEventTypes } from './event-types.ts';
import { noteDeadLetters } from './events/dead-letters.ts';
import { eventRecorder } from './events/recorder.ts';
import type { EventRecorder } from './events/recorder.ts';
import { changesForFiles } from './files.ts';
import { servingViews } from './serving/serving-views.ts';
import { REVISION, SERVING } from './serving/serving.ts';
import { settle } from './settle.ts';
import { changesForStatuses, generationsIn, isMeantOtherwise } from './statuses.ts';
import type { Known } from './statuses.ts';
import type { View, Views } from './view.ts';

export interface ControlPlaneOptions {
  readonly store: ObjectStore;
  readonly dataUrl: string;
  /** How senders are authenticated. Default: not at all. */
  readonly authentication?: Authentication | undefined;
  /** What vouches for the data port, in PEM, where nobody else does. Default: nothing has to. */
  readonly certificate?: (() => string | undefined) | undefined;
  /** Resolves when everything runs as the plan says. */
  readonly apply: (plan: Plan) => Promise<void>;
  /** How each resource is, by its key. */
  readonly statuses: () => ReadonlyMap<string, Status>;
  /** Which types of events enter. Undefined: no EventTypes are made. */
  readonly traffic?: Pick<Traffic, 'serial' | 'since'> | undefined;
  /** What is known of each function. Default: nothing. */
  readonly functions?: () => readonly FunctionDescription[];
  /** The key of the resource that a route comes from. Default: dead letters are not noted. */
  readonly routeKeyOf?: (route: string) => string | undefined;
  readonly logger: Pick<Logger, 'error' | 'info'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Functions and sources become ready, or not, by themselves: so often the statuses are looked at. */
const LOOK_EVERY_MS = 500;

/** Who deletes the default Broker to put another one in its place sees it gone: kubectl looks every second. */
const STAYS_GONE_MS = 2_000;

/** After a plan everything else has as long as that took, but not longer: whoever applies much at once is not held up. */
const MOST_REST_MS = 250;

/** Changes that a watch may be behind; older ones are forgotten every so many looks. */
const CHANGES_KEPT = 10_000;
const LOOKS_UNTIL_FORGOTTEN = 600;

/**
 * Keeps what runs true to what is declared, in files and over the API, and what objects tell of themselves true to what
 * runs. It goes by levels: whatever happened, it compares what is with what is to be.
 *
 *   files ──▶ objects ◀── API
 *                │ ▲
 *      declared  ▼ │ statuses
 *               plan ──▶ what runs
 */
export class ControlPlane {
  readonly #options: ControlPlaneOptions;
  readonly #ends: (() => void)[] = [];
  #recorder: EventRecorder | undefined;
  #files: readonly Declared[] = [];
  #told = '';
  /** The generation of each object that runs. */
  #observed: ReadonlyMap<string, number> = new Map();
  readonly #known = new WeakMap<View, Known>();
  #working: Promise<void> = Promise.resolve();
  /** When something was deleted last. */
  #deletedAt = -Infinity;
  #isWanted = false;
  #restsUntil = -Infinity;
  #looks = 0;
  #seenUntil = 0;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
  }

  /**
   * Begins: what the files declare is stored, and everything that is declared runs when this resolves. Rejects when it
   * cannot be applied.
   */
  async start(files: readonly Declared[]): Promise<void> {
    this.#files = files;
    const { store, now, routeKeyOf } = this.#options;
    const recorder = eventRecorder(store, [...meaningfulTypes(), REVISION], now);
    this.#recorder = recorder;
    this.#ends.push(() => recorder.close());
    if (routeKeyOf !== undefined) this.#ends.push(noteDeadLetters(store, recorder, routeKeyOf));
    await this.#storeFiles();
    await this.#applyPlan();
    await this.#tellStatuses();
    for (const type of meaningfulTypes()) {
      const listener = {
        event: ({ type: how, object, previous }: Parameters<Parameters<ObjectStore['watch']>[3]['event']>[0]) => {
          if (how === 'DELETED') this.#deletedAt = now();
          if (how === 'DELETED' || isMeantOtherwise(object, previous)) this.#want();
        },
      };
      this.#ends.push(store.watch(type, undefined, store.resourceVersion, listener));
    }
    this.#look();
  }

  /** The files say something else now. Resolves when it runs. */
  async filesAre(files: readonly Declared[]): Promise<void> {
    this.#files = files;
    this.#want();
    await this.#working;
  }

  /** Follows no longer. What runs goes on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const end of this.#ends) end();
    await this.#working;
  }

  /** What is wanted while something is being applied is applied after it, once. */
  #want(): void {
    if (this.#isWanted || this.#isClosed) return;
    this.#isWanted = true;
    this.#working = this.#working.then(async () => {
      await this.#rest();
      this.#isWanted = false;
      const began = this.#options.now();
      try {
        // What the API has taken away from the files comes back.
        await this.#storeFiles();
        await this.#applyPlan();
        await this.#tellStatuses();
        await this.#tellTypes([]);
      } catch (error) {
        this.#options.logger.error(`what is declared could not be applied: ${(error as Error).message}`);
      }
      const ended = this.#options.now();
      this.#restsUntil = ended + Math.min(ended - began, MOST_REST_MS);
    });
  }

  async #rest(): Promise<void> {
    const left = this.#restsUntil - this.#options.now();
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(left, MOST_REST_MS)));
  }

  async #storeFiles(): Promise<void> {
    const namespaces = new Set(['default', ...this.#files.map((it) => it.resource.metadata.namespace)]);
    await ensureNamespaces(this.#options.store, namespaces);
    await settle(this.#options, (store, now) => changesForFiles(store, this.#files, now));
  }

  async #applyPlan(): Promise<void> {
    const { store, dataUrl, authentication, apply, logger } = this.#options;
    const generations = generationsIn(store);
    const plan = compilePlan([...this.#files, ...declaredObjects(store)], dataUrl, { authentication });
    const faults = plan.faults.map((it) => `${it.key}: ${it.path}: ${it.message}`).join('\n');
    if (faults !== '' && faults !== this.#told) logger.error(`${faults}\nwhat was declared before goes on`);
    this.#told = faults;
    if (faults !== '') return;
    await apply(plan);
    this.#observed = generations;
  }

  #tellStatuses(): Promise<void> {
    const makesImplicit = this.#options.now() - this.#deletedAt >= STAYS_GONE_MS;
    const certificate = this.#options.certificate?.();
    return settle(this.#options, (store, now) =>
      changesForStatuses(store, this.#views(), {
        now,
        makesImplicit,
        observed: this.#observed,
        certificate,
        known: this.#known,
      }),
    );
  }

  #tellTypes(seen: readonly SeenType[]): Promise<void> {
    const statuses = this.#options.statuses();
    return settle(this.#options, (store) => changesForEventTypes(store, seen, (key) => statuses.has(key)));
  }

  async #tellEvents(): Promise<void> {
    try {
      await this.#recorder?.flush();
    } catch (error) {
      this.#options.logger.error(`Events could not be written: ${(error as Error).message}`);
    }
  }

  #views(): Views {
    const { statuses, functions = () => [], store, dataUrl } = this.#options;
    const told = statuses();
    const specOf = ({ namespace, name }: Status) => {
      const object = store.get({ group: groupOf(SERVING), kind: 'Service', namespace, name });
      return object?.['spec'] as ServiceSpec | undefined;
    };
    return new Map<string, View>([...told, ...servingViews(told, functions(), { specOf, dataUrl })]);
  }

  #look(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#looks += 1;
      this.#working = this.#working.then(() => this.#tellStatuses()).then(() => this.#tellEvents());
      const { traffic, now } = this.#options;
      const seen = traffic?.since(this.#seenUntil, now()) ?? [];
      this.#seenUntil = traffic?.serial ?? 0;
      if (seen.length > 0) this.#working = this.#working.then(() => this.#tellTypes(seen));
      if (this.#looks % LOOKS_UNTIL_FORGOTTEN === 0)
        this.#working = this.#working.then(() => this.#options.store.compact(CHANGES_KEPT)).catch(() => {});
      void this.#working.finally(() => this.#look());
    }, LOOK_EVERY_MS);
  }
}
