import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

/**
 * The other side of a benchmark, in a process of its own so that its CPU does not count: a subscriber that answers 202
 * at once, and senders that post events.
 */
export interface Load extends AsyncDisposable {
  /** The address of the subscriber. */
  readonly subscriberUrl: string;
  /** Posts so many events from so many connections; resolves when all are answered, with how many were 202. */
  post(request: PostRequest): Promise<number>;
  /** Resolves when the subscriber has got so many since the last reset. */
  delivered(count: number): Promise<void>;
}

export interface PostRequest {
  readonly url: string;
  readonly count: number;
  readonly connections: number;
  readonly mode: 'binary' | 'structured';
  /** Bytes of data. */
  readonly size: number;
}

export async function startLoad(): Promise<Load> {
  const child: ChildProcess = fork(new URL('./load-process.ts', import.meta.url), { stdio: 'inherit' });
  const ask = <T>(message: unknown): Promise<T> =>
    new Promise((resolve) => {
      child.once('message', (answer) => resolve(answer as T));
      child.send(message as object);
    });
  const subscriberUrl = await ask<string>({ kind: 'start' });
  return {
    subscriberUrl,
    post: (request) => ask({ kind: 'post', ...request }),
    delivered: (count) => ask({ kind: 'delivered', count }),
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await new Promise((resolve) => {
        child.once('exit', resolve);
      });
    },
  };
}
