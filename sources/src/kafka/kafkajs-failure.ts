import { KafkaFailure } from './client.ts';
import type { KafkaCluster, KafkaSubscription } from './client.ts';

/** What errors of kafkajs and of Node may carry. */
interface Facts {
  readonly name: string;
  readonly message: string;
  /** The name of the protocol's error code. */
  readonly type?: string;
  /** The code of a failed system call or of TLS. */
  readonly code?: string | number;
  /** `host:port` of the connection that failed. */
  readonly broker?: string;
  readonly cause?: unknown;
}

/** The error of a client as a sentence with what to do about it. Says nothing of what a broker answered to credentials. */
export function explain(
  error: unknown,
  { bootstrapServers, sasl, aliases = {} }: KafkaCluster,
  { group, topics }: KafkaSubscription,
): KafkaFailure {
  const chain = causes(error);
  const known = chain.find((cause) => cause instanceof KafkaFailure);
  if (known !== undefined) return known;
  const servers = bootstrapServers.join(', ');

  for (const { name, type = '', message, code, broker } of chain as Facts[]) {
    if (name === 'KafkaJSSASLAuthenticationError' || /SASL/.test(type)) {
      const sent = sasl === undefined ? 'no credentials' : `those of user ${sasl.user} by ${sasl.mechanism}`;
      return failure('AuthenticationFailed', `${servers} refused ${sent}; check spec.net.sasl and its secrets`);
    }
    if (type.endsWith('AUTHORIZATION_FAILED')) {
      const rights = `read on the topics ${topics.join(', ')} and on the group ${group}`;
      return failure('NotAuthorized', `${servers} refused access (${type}); the source needs the right to ${rights}`);
    }
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION' || type === 'INVALID_TOPIC_EXCEPTION') {
      return failure(
        'TopicNotFound',
        `${servers} has not all of the topics ${topics.join(', ')}; create what is missing`,
      );
    }
    if (name === 'KafkaJSNotImplemented' && message.includes('compression')) {
      const expected = 'gzip, zstd or no compression (the topic setting compression.type can enforce it)';
      return failure('UnsupportedCompression', `${message} in our Kafka client; expected ${expected}`);
    }
    if (name === 'KafkaJSConnectionClosedError') {
      const hint = 'if it expects TLS or SASL, set spec.net';
      return failure('ConnectionFailed', `${broker ?? servers} closed the connection; ${hint}`);
    }
    if (name === 'KafkaJSConnectionError' || (typeof code === 'string' && code.startsWith('E'))) {
      const address = broker ?? servers;
      const advertised = bootstrapServers.includes(address) ? '' : ', an address that the cluster advertises,';
      const target = aliases[address] === undefined ? '' : ` (alias ${aliases[address]})`;
      const why = typeof code === 'string' ? code : message;
      const hint = `is it running? If it has another address from here, name that as an alias of "${address}"`;
      return failure('ConnectionFailed', `no Kafka broker at ${address}${advertised}${target}: ${why}; ${hint}`);
    }
  }
  const last = chain.at(-1);
  return failure('ConsumerFailed', `reading from ${servers} failed: ${last?.message ?? String(error)}`);

  function failure(reason: KafkaFailure['reason'], message: string) {
    return new KafkaFailure(reason, message, error);
  }
}

function causes(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let cause = error; cause instanceof Error && !chain.includes(cause); cause = cause.cause) chain.push(cause);
  return chain;
}
