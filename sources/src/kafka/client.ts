// The port to a Kafka client: the one thing that the source asks of it, so that another client can be put in.

/** Reads topics as a member of a group. Resolves when it has joined; rejects with a {@link KafkaFailure}. */
export type ConsumeKafka = (
  cluster: KafkaCluster,
  subscription: KafkaSubscription,
  /** Called for one batch of a partition at a time. A rejection, or records not committed: they are read again. */
  take: (batch: KafkaBatch) => Promise<void>,
  /** Gives up joining when it aborts. After joining, `close` ends the membership. */
  signal: AbortSignal,
) => Promise<KafkaConsumer>;

/** Where a cluster is and how to speak to it. */
export interface KafkaCluster {
  /** `host:port` each. */
  readonly bootstrapServers: readonly string[];
  readonly clientId: string;
  readonly tls?: KafkaTls | undefined;
  readonly sasl?: KafkaSasl | undefined;
  /**
   * Other addresses for `host:port`s, the advertised ones included: `{ "kafka:9092": "127.0.0.1:19092" }`.
   * With TLS the certificate is still checked against the original name.
   */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
}

/** TLS with PEM texts: the authority that signed the brokers, and our own certificate where they ask for one. */
export interface KafkaTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface KafkaSasl {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly user: string;
  readonly password: string;
}

export interface KafkaSubscription {
  readonly group: string;
  readonly topics: readonly string[];
  /** Where a group that has never been here begins. Committed at once, so that a restart does not begin again. */
  readonly initialOffset: 'earliest' | 'latest';
  /** How many partitions are worked on at the same time. */
  readonly concurrency: number;
}

/** Some records of one partition, in order. */
export interface KafkaBatch {
  readonly records: readonly KafkaRecord[];
  /** Says that this record and all before it are done for good. Rejects when the partition belongs to another member. */
  commit(record: KafkaRecord): Promise<void>;
  /** Keeps the membership alive; cheap to call often. Rejects when the group is being rearranged: leave the batch. */
  heartbeat(): Promise<void>;
  /** False when the consumer is closing: leave the batch after what has been begun. */
  isWanted(): boolean;
}

export interface KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  /** 64 bits, as decimal digits. */
  readonly offset: string;
  /** Milliseconds since 1970; negative when the record has none. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Repeated headers are an array. Has no prototype. */
  readonly headers: Readonly<Record<string, Buffer | Buffer[] | undefined>>;
}

export interface KafkaConsumer {
  /** Resolves when the consumer has ended: with why, or with undefined after `close`. Never rejects. */
  readonly ended: Promise<KafkaFailure | undefined>;
  /** Lets the batch in work come to its end, then leaves the group and disconnects. Idempotent; never rejects. */
  close(): Promise<void>;
}

/** Why there is no consumer, as a condition of the source tells it. */
export class KafkaFailure extends Error {
  override readonly name = 'KafkaFailure';
  /** One CamelCase word. */
  readonly reason:
    | 'ConnectionFailed'
    | 'AuthenticationFailed'
    | 'NotAuthorized'
    | 'TopicNotFound'
    | 'UnsupportedBroker'
    | 'UnsupportedCompression'
    | 'ConsumerFailed';

  constructor(reason: KafkaFailure['reason'], message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}
