import { Agent, Pool } from 'undici';

import type { CloudEvent } from '@millrace/event/event';
import { HandlerFailure } from '@millrace/event/handler';
import type { Answer, Handler, HandlerContext } from '@millrace/event/handler';
import { urlHandler } from '@millrace/event/send';

import type { Entry } from '../log/log.ts';
import { subjectOf } from '../security/subject.ts';
import type { JoinTarget, MapTarget, Route, Target } from '../plan/plan.ts';
import type { SinkCall } from '../transform/transform-door.ts';
import type { TransformHandler } from '../transform/transform-handler.ts';
import type { TransformSink } from '../transform/transforms.ts';
import type { Addressed, Targets } from './attempt.ts';
import { callTarget } from './call-target.ts';
import { callbackTarget } from './callback-target.ts';
import type { WebCallee } from './callee.ts';
import { functionSink, urlSink } from './web-sinks.ts';

export interface TargetsOptions {
  /** A declared function, or undefined when there is none. Asked at every call: functions come and go. */
  readonly functionOf: (workload: string) => WebCallee | undefined;
  /** Addresses that stand for others, as `host:port`: manifests may name cluster addresses. */
  readonly aliases: Readonly<Record<string, string>>;
  /** The longest reply that is read, in bytes. */
  readonly maxAnswerBytes: number;
  readonly now: () => number;
  /** A declared EventTransform, made ready with the handler of its sink. Asked at every call, as functions are. */
  readonly transformOf: (transform: string) => TransformHandler | undefined;
  /** Takes the events of a flow whose parts are to be joined. */
  readonly flows: FlowTargets;
  /** Hands an event to whoever waits for it at a RequestReply; true when somebody did. */
  readonly answerWaiter: (requestReply: string, event: CloudEvent) => boolean;
  /** Why an event is not as the schemas of a topic want it; undefined when it is. */
  readonly mismatchOf: (topic: string, event: CloudEvent) => string | undefined;
  /** The token of a sender for an audience. Default: none is sent. */
  readonly tokenOf?: ((subject: string, audience: string) => Promise<string>) | undefined;
  /** The address of the forward proxy, which knows the names of the cluster; undefined where there is none. */
  readonly proxyUrl?: (() => string | undefined) | undefined;
}

/** What a flow waits with for its parts. */
type Await = (entry: Entry, context: HandlerContext) => Promise<Answer>;

export interface FlowTargets {
  join(flow: string, target: JoinTarget): Await;
  map(flow: string, target: MapTarget): Await;
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

  /** A target as the sink of an EventTransform. It leaves it to its caller to bring an event into a topic. */
  sink(target: Target, from: { readonly name: string; readonly key: string }): TransformSink {
    const route: Route = { ...SINK, ...from, namespace: from.key.split('/')[1]!, target };
    const addressed = this.#addressed(target, route, 'subscriber');
    if ('await' in addressed) throw new Error(`events cannot be sent to ${addressed.address}`);
    if ('topic' in addressed) {
      return { handler: async (event) => ({ status: 202, event, into: addressed.topic }), web: undefined };
    }
    return { handler: addressed.handler, web: this.#webSink(target, route.namespace) };
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
      case 'matching':
        return { address: target.topic, handler: this.#matchingHandler(target.topic) };
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
      case 'transform':
        return { address: `transforms/${target.transform}`, handler: this.#transformHandler(target.transform) };
      case 'join':
        return { address: route.name, await: this.#options.flows.join(route.name, target) };
      case 'map':
        return { address: route.name, await: this.#options.flows.map(route.name, target) };
      case 'waiter':
        return {
          address: route.name,
          handler: async (event) => {
            this.#options.answerWaiter(target.requestReply, event);
            return { status: 202 };
          },
        };
      case 'missing':
        return {
          address: route.name,
          // 410 Gone: whoever could have declared it has taken out the flow.
          handler: async () => {
            throw new HandlerFailure(`${target.message}, and ${route.key} does not ask for it any more`, {
              status: 410,
            });
          },
        };
      case 'url':
        return { address: target.url, handler: this.#urlHandler(target, route, as) };
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

  /** Hands an event on that matches the schemas of its topic; the others fail for good. */
  #matchingHandler(topic: string): Handler {
    return async (event) => {
      const why = this.#options.mismatchOf(topic, event);
      if (why !== undefined) throw new HandlerFailure(why, { status: 422, body: Buffer.from(why) });
      return { status: 200, event };
    };
  }

  #transformHandler(transform: string): TransformHandler {
    return (event, context) => {
      const handler = this.#options.transformOf(transform);
      if (handler !== undefined) return handler(event, context);
      return Promise.reject(new HandlerFailure(`the EventTransform ${transform} is not ready`, { status: 503 }));
    };
  }

  #urlHandler(
    { url, audience }: Extract<Target, { kind: 'url' }>,
    { namespace, delivery, manner, isReply, identity }: Route,
    as: keyof Targets,
  ): Handler {
    const { tokenOf } = this.#options;
    const isAsked = as === 'subscriber' && isReply !== true;
    const address = this.#place(url);
    return urlHandler(address.href, {
      dispatcher: this.#pool(address.origin),
      headers: isAsked ? askedHeaders(namespace) : { 'kn-namespace': namespace },
      authorization:
        tokenOf === undefined || audience === undefined || identity === undefined
          ? undefined
          : async () => `Bearer ${await tokenOf(subjectOf(identity), audience)}`,
      format: delivery.format,
      nonEvent: !isAsked ? 'discard' : manner === 'channel' ? 'ignore' : 'refuse',
      maxAnswerBytes: this.#options.maxAnswerBytes,
      now: this.#options.now,
    });
  }

  /** A target that takes HTTP requests; undefined for one that does not. */
  #webSink(target: Target, namespace: string): SinkCall | undefined {
    const { functionOf, maxAnswerBytes } = this.#options;
    const headers = Object.entries(askedHeaders(namespace)).flat();
    if (target.kind === 'url') {
      const { origin, pathname, search } = this.#place(target.url);
      return urlSink({ dispatcher: this.#pool(origin), path: pathname + search, headers, maxAnswerBytes });
    }
    if (target.kind !== 'function') return undefined;
    return functionSink({
      callee: () => functionOf(target.workload),
      workload: target.workload,
      headers,
      maxAnswerBytes,
    });
  }

  /** Where a URL leads to, by the addresses that stand for others. */
  #place(url: string): URL {
    const address = new URL(url);
    const port = address.port === '' ? (address.protocol === 'https:' ? '443' : '80') : address.port;
    const stand = this.#options.aliases[`${address.hostname}:${port}`];
    if (stand !== undefined) address.host = stand;
    return address;
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

/** `Prefer` goes to subscribers only, the namespace to dead letter sinks and reply addresses too (knative.md §3.1, §3.5). */
function askedHeaders(namespace: string): Record<string, string> {
  return { prefer: 'reply', 'kn-namespace': namespace };
}

/** What a sink is that has no route of its own. */
const SINK = {
  sinkCondition: '',
  topic: '',
  filter: {},
  replyTopic: undefined,
  deadLetter: undefined,
  delivery: {
    retry: 0,
    backoffPolicy: 'linear',
    backoffDelayMs: 0,
    backoffMaxMs: undefined,
    retryAfterMaxMs: undefined,
    timeoutMs: 0,
    format: 'binary',
    ordered: false,
    concurrency: 1,
  },
  manner: 'channel',
} as const;

/** The deadline of the attempt is the only clock; undici's own would cut long agents short. */
const NO_TIMEOUTS = { headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 10_000 } };

/** The name under which a cluster knows a function: `http://<service>.<namespace>.svc.cluster.local`. */
export function functionAddress(workload: string): string {
  const [namespace, service] = workload.split('/');
  return `http://${service}.${namespace}.svc.cluster.local`;
}
