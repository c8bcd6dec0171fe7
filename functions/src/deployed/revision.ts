import type { Handler } from '@millrace/event/handler';
import type { WebAnswer, WebCall } from '@millrace/event/web';

import type { Clock } from '../clock.ts';
import type { FunctionLog } from '../function-log.ts';
import { maskOf } from '../runtime/process/log-lines.ts';
import type { Installer } from '../packages/installer.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { ScaledFunction } from '../scaling/scaled-function.ts';
import type { ScaledStatus } from '../scaling/scaled-function.ts';
import type { Workload } from '../workload.ts';
import type { Declared } from './declared.ts';
import { preparedRuntime } from './prepared-runtime.ts';
import { prepare } from './preparation.ts';
import type { Preparation } from './preparation.ts';
import { codeOf, environmentOf } from './record.ts';
import type { RevisionRecord } from './record.ts';

/** What every revision of a place needs. */
export interface RevisionPlace {
  readonly runtime: Runtime;
  readonly installer: Installer;
  readonly clock: Clock;
  readonly log: (line: FunctionLog) => void;
}

/** Bounds in the place of those that a template has. */
export interface Bounds {
  readonly minScale?: number | undefined;
  readonly maxScale?: number | undefined;
}

/** How a revision is: its instances, and what stands against them. */
export interface RevisionStatus extends Omit<ScaledStatus, 'notes'> {
  /** `CrashLoop`, `DependenciesNotInstalled`, `Installing`; empty when nothing is wrong. */
  readonly reason: string;
  readonly notes: readonly string[];
}

/** One revision that can be called: its code and packages, and its instances. Its packages are installed at once. */
export class Revision {
  readonly record: RevisionRecord;
  /** Of the variables as they were given: when those change, its instances must be others. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #preparation: Preparation;
  readonly #scaled: ScaledFunction;
  readonly #notes: readonly string[];
  readonly #mask: (text: string) => string;
  readonly #proof = Promise.withResolvers<void>();

  constructor(
    record: RevisionRecord,
    declared: Declared,
    options: { readonly place: RevisionPlace; readonly copyFolder: string | undefined; readonly bounds: Bounds },
  ) {
    const { runtime, installer, clock, log } = options.place;
    const { code, requirements } = codeOf(record, options.copyFolder);
    const { environment, notes } = environmentOf(record, declared);
    const { settings } = record.template;
    const { name, secretValues } = declared;
    this.record = record;
    this.environment = environment;
    this.#notes = [...record.notes, ...notes];
    this.#mask = maskOf(secretValues);
    this.#preparation = prepare(requirements, {
      installer,
      clock,
      secrets: secretValues,
      line: (text, stream) => log({ function: name, instance: 'install', stream, text, time: clock.now() }),
    });
    const workload: Workload = {
      ...settings,
      name,
      revision: record.name,
      code,
      environment,
      secretValues,
      scaling: { ...settings.scaling, ...given(options.bounds) },
    };
    // Nobody may ask for the proof.
    this.#proof.promise.catch(() => {});
    this.#scaled = new ScaledFunction({
      workload,
      runtime: preparedRuntime({
        runtime,
        code: () => {
          const { prepared } = this.#preparation;
          if (prepared === undefined) return undefined;
          return 'file' in code ? { ...code, packages: prepared.packages ?? code.packages } : code;
        },
        prepared: () => this.#preparation.run(),
        begun: (ready) => void ready.then(this.#proof.resolve, this.#proof.reject),
      }),
      log,
      clock,
    });
  }

  readonly handler: Handler = (event, context) => this.#scaled.handler(event, context);

  request(call: WebCall): Promise<WebAnswer> {
    return this.#scaled.request(call);
  }

  room(): number {
    return this.#scaled.room();
  }

  onRoom(listener: () => void): () => void {
    return this.#scaled.onRoom(listener);
  }

  warm(): void {
    this.#scaled.warm();
  }

  /** Begins an instance; resolves when one takes calls, rejects with an Error for people when the first one cannot. */
  async prove(): Promise<void> {
    await this.#preparation.run();
    this.warm();
    await this.#proof.promise;
  }

  setBounds(bounds: Bounds): void {
    const { minScale, maxScale } = { ...this.record.template.settings.scaling, ...given(bounds) };
    this.#scaled.setBounds({ minScale, maxScale });
  }

  status(): RevisionStatus {
    const scaled = this.#scaled.status();
    const status = { ...scaled, notes: [...this.#notes, ...scaled.notes] };
    const { state, fault } = this.#preparation;
    if (state === 'failed') {
      const message = `its packages could not be installed: ${this.#mask(fault)}`;
      return { ...status, state: 'failing', reason: 'DependenciesNotInstalled', message };
    }
    if (state === 'installing') {
      return { ...status, state: 'starting', reason: 'Installing', message: 'its packages are being installed' };
    }
    return { ...status, reason: scaled.state === 'failing' ? 'CrashLoop' : '' };
  }

  drain(): Promise<void> {
    this.#preparation.stop();
    return this.#scaled.drain();
  }

  close(): Promise<void> {
    this.#preparation.stop();
    return this.#scaled.close();
  }
}

/** Without what is not given, so that it can be laid over something. */
function given(bounds: Bounds): Partial<{ minScale: number; maxScale: number }> {
  const { minScale, maxScale } = bounds;
  return { ...(minScale === undefined ? {} : { minScale }), ...(maxScale === undefined ? {} : { maxScale }) };
}
