import { Agent, Pool } from 'undici';

import { HandlerFailure } from '@millrace/event/handler';
import type { Handler } from '@millrace/event/handler';
import { urlHandler } from '@millrace/event/send';

import type { Route, Target } from '../plan/plan.ts';
import type { Addressed, Targets } from './attempt.ts';
import { callTarget } from './call-target.ts';
import { callbackTarget } from './callback-target.ts';
import type { WebCallee } from './callee.ts';

export interface TargetsOptions {
  /** A declared function, or undefined when there is none. Asked at every call: functions come and go. */
  readonly functionOf: (workload: string) => WebCallee | undefined;
  /** Addresses that stand for others, as `host:port`: manifests may name cluster addresses. */
  readonly aliases: Readonly<Record<string, string>>;
  /** The longest reply that is read, in bytes. */
  readonly maxAnswerBytes: number;
  readonly now: () => number;
  /** The address of the forward proxy, which knows the names of the cluster; undefined where there is none. */
  readonly proxyUrl?: (() => string | undefined) | undefined;
}

/** Turns declared targets into handlers. Connections to an origin are shared by everything that sends there. */
export class TargetFactory {
  readonly #options: TargetsOptions;
  readonly #pools = new Map<string, Pool>();
  /** For addresses that callers give: each may be another. */
  #callbacks: Agent | undefined;

  constructor(options: TargetsOptions) {
    this.#options = options;
  }

  /** The targets of a route. */
  of(route: Route): Targets {
    const subscriber = this.#addressed(route.target, route, 'subscriber');
    return {
      subscriber,
      deadLetterSink:
        route.deadLetter === undefined ? undefined : this.#addressed(route.deadLetter, route, 'deadLetterSink'),
    };
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    const all = [...this.#pools.values(), ...(this.#callbacks === undefined ? [] : [this.#callbacks])];
    await Promise.all(all.map((it) => it.destroy()));
  }

  #addressed(target: Target, route: Route, as: keyof Targets): Addressed {
    switch (target.kind) {
      case 'topic':
        return { address: target.topic, topic: target.topic };
      case 'function':
        return {
          address: functionAddress(target.workload),
          handler: this.#functionHandler(target.workload),
          callee: () => this.#options.functionOf(target.workload),
        };
      case 'call':
        return callTarget({
          ...this.#options,
          address: functionAddress(target.workload),
          workload: target.workload,
          callee: () => this.#options.functionOf(target.workload),
        });
      case 'callback':
        this.#callbacks ??= new Agent({ ...NO_TIMEOUTS, connections: CONNECTIONS });
        return callbackTarget({
          workload: target.workload,
          dispatcher: this.#callbacks,
          proxyUrl: () => this.#options.proxyUrl?.(),
          now: this.#options.now,
        });
      case 'url':
        return { address: target.url, handler: this.#urlHandler(target.url, route, as) };
    }
  }

  #functionHandler(workload: string): Handler {
    const { functionOf } = this.#options;
    return (event, context) => {
      const callee = functionOf(workload);
      if (callee !== undefined) return callee.handler(event, context);
      return Promise.reject(new HandlerFailure(`the function ${workload} is not ready`, { status: 503 }));
    };
  }

  #urlHandler(url: string, { namespace, delivery }: Route, as: keyof Targets): Handler {
    const isSubscriber = as === 'subscriber';
    const address = new URL(url);
    const port = address.port === '' ? (address.protocol === 'https:' ? '443' : '80') : address.port;
    const stand = this.#options.aliases[`${address.hostname}:${port}`];
    if (stand !== undefined) address.host = stand;
    return urlHandler(address.href, {
      dispatcher: this.#pool(address.origin),
      // Prefer goes to subscribers only, the namespace to dead letter sinks too (knative.md §3.1, §3.5).
      headers: isSubscriber ? { prefer: 'reply', 'kn-namespace': namespace } : { 'kn-namespace': namespace },
      format: delivery.format,
      nonEvent: isSubscriber ? 'refuse' : 'ignore',
      maxAnswerBytes: this.#options.maxAnswerBytes,
      now: this.#options.now,
    });
  }

  #pool(origin: string): Pool {
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      pool = new Pool(origin, { connections: CONNECTIONS, pipelining: 1, ...NO_TIMEOUTS });
      this.#pools.set(origin, pool);
    }
    return pool;
  }
}

const CONNECTIONS = 100;

/** The deadline of the attempt is the only clock; undici's own would cut long agents short. */
const NO_TIMEOUTS = { headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 10_000 } };

/** The name under which a cluster knows a function: `http://<service>.<namespace>.svc.cluster.local`. */
export function functionAddress(workload: string): string {
  const [namespace, service] = workload.split('/');
  return `http://${service}.${namespace}.svc.cluster.local`;
}
