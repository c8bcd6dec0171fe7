import { NotTaken } from '../runtime/runtime.ts';
import type { Instance, Runtime } from '../runtime/runtime.ts';
import type { Code } from '../workload.ts';

export interface PreparedRuntimeOptions {
  readonly runtime: Runtime;
  /** The code once everything that it needs is there. Undefined: not yet. */
  readonly code: () => Code | undefined;
  /** Resolves when `code` is known; rejects, for people, when it cannot be. */
  readonly prepared: () => Promise<unknown>;
  /** Hears of every instance that begins. */
  readonly begun: (ready: Promise<void>) => void;
}

/**
 * A runtime whose instances begin once their code is prepared: until then a start is a slow one, so that calls wait
 * for it as for any cold start.
 */
export function preparedRuntime(options: PreparedRuntimeOptions): Runtime {
  const { runtime, code, prepared, begun } = options;
  let deferred = 0;
  return {
    start(workload, log) {
      const known = code();
      if (known !== undefined) {
        try {
          const instance = runtime.start({ ...workload, code: known }, log);
          begun(instance.ready);
          return instance;
        } catch (error) {
          begun(Promise.reject(error));
          throw error;
        }
      }
      const begin = (): Instance => runtime.start({ ...workload, code: code()! }, log);
      const instance = new DeferredInstance(`waiting-${(deferred += 1)}`, workload.name, prepared(), begin);
      begun(instance.ready);
      return instance;
    },
    close: async () => {},
  };
}

/** An instance that begins when it is prepared, unless it has been given up by then. */
class DeferredInstance implements Instance {
  readonly ready: Promise<void>;
  readonly ended: Promise<string>;
  readonly #name: string;
  readonly #waitingId: string;
  readonly #given = Promise.withResolvers<undefined>();
  #isGivenUp = false;
  #inner: Instance | undefined;

  constructor(id: string, name: string, prepared: Promise<unknown>, begin: () => Instance) {
    this.#waitingId = id;
    this.#name = name;
    const begun = Promise.race([
      prepared.then(() => {
        if (!this.#isGivenUp) this.#inner = begin();
        return this.#inner;
      }),
      // Who gives it up need not wait for the preparation.
      this.#given.promise,
    ]);
    this.ready = begun.then((inner) => {
      if (inner === undefined) throw new Error('it was given up before it began');
      return inner.ready;
    });
    this.ready.catch(() => {});
    this.ended = begun.then(
      (inner) => inner?.ended ?? 'never began',
      (error: unknown) => `never began: ${(error as Error).message}`,
    );
  }

  get id(): string {
    return this.#inner?.id ?? this.#waitingId;
  }

  get notes(): readonly string[] {
    return this.#inner?.notes ?? [];
  }

  get notReady(): string | undefined {
    return this.#inner?.notReady;
  }

  onReadiness(listener: (isReady: boolean) => void): void {
    this.#inner?.onReadiness?.(listener);
  }

  call(...parameters: Parameters<Instance['call']>): ReturnType<Instance['call']> {
    return this.#inner?.call(...parameters) ?? Promise.reject(new NotTaken(`${this.#name} has not begun yet`));
  }

  stop(): Promise<void> {
    return this.#inner?.stop() ?? this.#giveUp();
  }

  kill(): Promise<void> {
    return this.#inner?.kill() ?? this.#giveUp();
  }

  async #giveUp(): Promise<void> {
    this.#isGivenUp = true;
    this.#given.resolve(undefined);
    await this.ended;
  }
}
