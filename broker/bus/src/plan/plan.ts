import type { Limits, Probe } from '@millrace/resources/container';
import type { Complaint } from '@millrace/resources/fault';
import type { Join } from '@millrace/resources/join';
import type { LabelSelector } from '@millrace/resources/label-selector';
import type { Scaling } from '@millrace/resources/scaling';
import type { TriggerFilter } from '../filter/trigger-filter.ts';
import type { EventSchema } from '../schema/event-check.ts';
import type { Protection, SenderIdentity } from './protection.ts';

/**
 * What all resources together mean, as plain data: control compares two plans and starts, changes and stops things.
 * Names are stable: a route of the same name continues where it stood.
 */
export interface Plan {
  readonly inlets: readonly Inlet[];
  readonly routes: readonly Route[];
  readonly feeds: readonly Feed[];
  readonly workloads: readonly Workload[];
  readonly transforms: readonly Transform[];
  readonly requestReplies: readonly RequestReplyDoor[];
  readonly schemaChecks: readonly SchemaCheck[];
  /** Who may send where. Empty where nobody is asked who he is. */
  readonly protections: readonly Protection[];
  /** What can be said of each resource without running anything, by its key. */
  readonly statuses: ReadonlyMap<string, Status>;
  /** What cannot work, found when the resources were taken together; by the key of the resource. */
  readonly faults: readonly PlanFault[];
}

export interface PlanFault extends Complaint {
  readonly key: string;
}

/** A path on the data port that takes events into a topic. */
export interface Inlet {
  /** `/<namespace>/<broker>`, `/channels/<namespace>/<channel>`. */
  readonly path: string;
  /** The name under which a cluster knows it, without `.svc.cluster.local`; undefined where it has none of its own. */
  readonly host?: string | undefined;
  readonly topic: string;
  /** The key of the resource that it belongs to. */
  readonly key: string;
}

/** A topic whose events are held against the schemas of their types before they enter. */
export interface SchemaCheck {
  readonly topic: string;
  readonly schemas: readonly EventSchema[];
  /** The topic that takes what does not match; undefined: it is refused. */
  readonly mismatches: string | undefined;
}

/** From a topic, through a filter, to a target. */
export interface Route {
  /** `trigger/<namespace>/<name>`. */
  readonly name: string;
  /** The key of the resource that it comes from, and the condition of it that tells whether its target is there. */
  readonly key: string;
  readonly sinkCondition: string;
  /** Who it is to those it sends to; undefined where nobody is asked who he is. */
  readonly identity?: SenderIdentity | undefined;
  /** The part of a flow that it is, where it carries one on. */
  readonly step?: Step | undefined;
  readonly namespace: string;
  readonly topic: string;
  readonly filter: TriggerFilter;
  readonly target: Target;
  /** The topic that replies go to; without one they are discarded. */
  readonly replyTopic: string | undefined;
  /** It hands a reply on: whoever gets it is asked for none (knative.md §3.1). Default: false. */
  readonly isReply?: boolean | undefined;
  /** Where goes what failed for good; without one it rests in the store. */
  readonly deadLetter: Target | undefined;
  readonly delivery: Delivery;
  /**
   * How events look and what answers may be: `broker` adds the time of arrival and refuses an answer that is no event;
   * `channel` adds nothing and takes it for no reply; `flow` adds nothing and refuses it (knative.md §2.3, §3.2).
   */
  readonly manner: 'broker' | 'channel' | 'flow';
}

/** A part of a flow, as `runs` and `flow graph` show it. */
export interface Step {
  /** `sequence/<namespace>/<name>`. */
  readonly flow: string;
  /** The step, branch or choice. */
  readonly name: string;
}

export type Target =
  | {
      readonly kind: 'url';
      readonly url: string;
      /** What tokens for it must be made for; undefined: none is sent. */
      readonly audience?: string | undefined;
    }
  | { readonly kind: 'function'; readonly workload: string }
  /** A function, with an HTTP request as somebody sent it. */
  | { readonly kind: 'call'; readonly workload: string }
  /** The address that the caller of a function gave, with what the function answered. */
  | { readonly kind: 'callback'; readonly workload: string }
  | { readonly kind: 'topic'; readonly topic: string }
  /** The topic, for events that match the schemas of a {@link SchemaCheck}; others fail for good. */
  | { readonly kind: 'matching'; readonly topic: string }
  | { readonly kind: 'transform'; readonly transform: string }
  /** Waits for the branches of the entry, and answers with what has come of them. */
  | ({ readonly kind: 'join' } & JoinTarget)
  /** Makes one event of each item of a list, and answers with what has come of them. */
  | ({ readonly kind: 'map' } & MapTarget)
  /** Whoever waits at the door of a RequestReply for this event. */
  | { readonly kind: 'waiter'; readonly requestReply: string }
  /** Not declared yet: the route begins nothing, and keeps its place. */
  | { readonly kind: 'missing'; readonly message: string };

export interface JoinTarget extends Join {
  /** In the order of the result. */
  readonly branches: readonly JoinBranch[];
}

export interface JoinBranch {
  readonly name: string;
  /** The route on the same topic that it begins with, and its filter: what that does not let pass has not this branch. */
  readonly route: string;
  readonly filter: TriggerFilter;
}

export interface MapTarget {
  /** From the event's data to the list. */
  readonly itemsPath: readonly (string | number)[];
  /** The topic of the items, and the route that takes them. */
  readonly items: string;
  /** Items that are not finished, at once. */
  readonly concurrency: number;
  readonly toleratedFailures: number;
  readonly deadlineMs: number;
}

/** A declared EventTransform. */
export interface Transform {
  /** `<namespace>/<name>`. */
  readonly name: string;
  readonly key: string;
  /** JSONata. */
  readonly expression: string;
  readonly sink: Target | undefined;
  /** What becomes of the sink's answer; undefined: it passes as it is. */
  readonly reply: { readonly expression: string } | 'discard' | undefined;
}

/** A declared RequestReply: a door that holds a request until its reply has come to the broker. */
export interface RequestReplyDoor {
  /** `<namespace>/<name>`. */
  readonly name: string;
  readonly key: string;
  /** `/request-replies/<namespace>/<name>`. */
  readonly path: string;
  /** Without `.svc.cluster.local`. */
  readonly host: string;
  /** Of the broker. */
  readonly topic: string;
  readonly correlationAttribute: string;
  readonly replyAttribute: string;
  readonly timeoutMs: number;
}

/** How a route delivers. All times in milliseconds. */
export interface Delivery {
  /** Attempts after the first. */
  readonly retry: number;
  readonly backoffPolicy: 'linear' | 'exponential';
  readonly backoffDelayMs: number;
  readonly backoffMaxMs: number | undefined;
  readonly retryAfterMaxMs: number | undefined;
  /** For one attempt. */
  readonly timeoutMs: number;
  readonly format: 'binary' | 'json';
  /** One after the other for each partition key. */
  readonly ordered: boolean;
  /** Attempts at once. */
  readonly concurrency: number;
}

/** A declared source: what starts it, and the topic that it fills. */
export type Feed = {
  /** `kafkasource/<namespace>/<name>`. */
  readonly name: string;
  /** The key of its resource. */
  readonly key: string;
  readonly topic: string;
} & (
  | { readonly kind: 'KafkaSource'; readonly options: KafkaFeed }
  | { readonly kind: 'WebhookSource'; readonly options: WebhookFeed }
  | { readonly kind: 'PingSource'; readonly options: PingFeed }
  | { readonly kind: 'ApiServerSource'; readonly options: ApiServerFeed }
  /** Its `timer`. */
  | { readonly kind: 'IntegrationSource'; readonly options: TimerFeed }
);

export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';

export interface KafkaFeed {
  readonly namespace: string;
  readonly name: string;
  readonly bootstrapServers: readonly string[];
  readonly topics: readonly string[];
  readonly consumerGroup: string;
  readonly initialOffset: 'latest' | 'earliest';
  readonly consumers: number;
  readonly keyType: 'string' | 'int' | 'float' | 'byte-array';
  /** What is set on every event. */
  readonly extensions: Readonly<Record<string, string>>;
  readonly net: {
    readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
    readonly sasl?: { readonly mechanism: SaslMechanism; readonly user: string; readonly password: string };
  };
}

export interface WebhookFeed {
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  /** Templates. */
  readonly event: {
    readonly type: string;
    readonly source: string;
    readonly subject?: string;
    readonly id?: string;
    readonly extensions?: Readonly<Record<string, string>>;
  };
  readonly contentTypes?: readonly string[];
  readonly verify?: {
    readonly kind: 'standard-webhooks' | 'github';
    readonly secrets: readonly string[];
    readonly toleranceSeconds: number;
  };
  readonly extensions: Readonly<Record<string, string>>;
}

export interface PingFeed {
  readonly namespace: string;
  readonly name: string;
  readonly schedule: string;
  readonly timezone?: string;
  readonly contentType?: string;
  readonly data?: string;
  readonly dataBase64?: string;
  readonly extensions: Readonly<Record<string, string>>;
}

export interface ApiServerFeed {
  readonly namespace: string;
  readonly name: string;
  readonly mode: 'Reference' | 'Resource';
  readonly resources: readonly {
    readonly apiVersion: string;
    readonly kind: string;
    readonly selector?: LabelSelector;
  }[];
  readonly owner?: { readonly apiVersion: string; readonly kind: string };
  /** Undefined: its own namespace alone; empty: all. */
  readonly namespaceSelector?: LabelSelector;
  /** Of its events, those that pass. */
  readonly filter: TriggerFilter;
  readonly extensions: Readonly<Record<string, string>>;
}

export interface TimerFeed {
  readonly periodMs: number;
  readonly message: string;
  readonly contentType: string;
  readonly repeatCount?: number;
  readonly extensions: Readonly<Record<string, string>>;
}

/** A declared function, as far as it is known without looking for its code. */
export interface Workload {
  /** `<namespace>/<service>`. */
  readonly name: string;
  /** The key of its resource. */
  readonly key: string;
  readonly namespace: string;
  readonly service: string;
  readonly image: string;
  /** The annotation `millrace.dev/code`: a path relative to the manifest's folder. */
  readonly code: string | undefined;
  /** The file that declares it. */
  readonly manifest: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly secretValues: readonly string[];
  /** Variables that are declared as optional and that nothing declared provides: the host may. */
  readonly open: readonly string[];
  readonly timeoutMs: number;
  /** Calls at once for each instance; 0: no limit. */
  readonly concurrency: number;
  readonly scaling: Scaling;
  readonly limits: Limits;
  readonly readiness: Probe | undefined;
  readonly liveness: Probe | undefined;
  /** How long an instance may take until it is ready. Undefined: the runtime's default. */
  readonly progressDeadlineMs: number | undefined;
  /** How long it may take to end when it is told to. Undefined: the runtime's default. */
  readonly terminationGraceMs: number | undefined;
  /** The container's command and arguments; both empty when the code is served by its handler. */
  readonly command: readonly string[];
  readonly arguments: readonly string[];
  /** The annotation `millrace.dev/speaks`: how a command is called. */
  readonly speaks: 'http' | 'stdio';
  /** The port that a container of the image listens on. */
  readonly port: number;
  /** The name that the template gives its revision; without one it is made. */
  readonly revisionName: string | undefined;
  /** Which revisions get the calls; empty: the latest that is ready. */
  readonly traffic: readonly Traffic[];
}

/** A part of the calls of a function, and who gets it (Serving's `spec.traffic`). */
export interface Traffic {
  /** Undefined: the latest that is ready. */
  readonly revisionName: string | undefined;
  /** Of all calls; those of a tag are beside them. */
  readonly percent: number;
  /** The name under which it can be called by itself. */
  readonly tag: string | undefined;
}

/** A resource's status, as Knative shows it. */
export interface Status {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly conditions: readonly Condition[];
  /** Where it takes events, when it does. */
  readonly url?: string | undefined;
  /** What tokens for that must be made for; undefined where none is asked for. */
  readonly audience?: string | undefined;
  /** The key of the resource that made this one. */
  readonly owner?: string | undefined;
  /** What that one has said of it. */
  readonly spec?: Readonly<Record<string, unknown>> | undefined;
  /** What else Knative shows of the kind, by its names. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** One CamelCase word; absent when the status is True. */
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}
