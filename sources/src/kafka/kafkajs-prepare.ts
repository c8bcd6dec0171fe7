// oxlint-disable-next-line typescript/triple-slash-reference -- so that whoever imports this file finds the types too
/// <reference path="./kafkajs-inner.d.ts" />
import type { Kafka } from 'kafkajs';
import apiKeys from 'kafkajs/src/protocol/requests/apiKeys.js';
import protocol from 'kafkajs/src/protocol/requests/index.js';

import { KafkaFailure } from './client.ts';
import type { KafkaCluster, KafkaSubscription } from './client.ts';

/**
 * Looks before a consumer joins, over one connection of its own: that kafkajs and the broker have a version of every
 * request in common, that all topics are there, and that every partition has an offset to begin at.
 * Rejects with a {@link KafkaFailure} or an error of kafkajs.
 */
export async function prepareGroup(
  kafka: Kafka,
  { sasl }: KafkaCluster,
  subscription: KafkaSubscription,
): Promise<void> {
  const cluster = clusterOf(kafka);
  try {
    try {
      await cluster.connect();
    } finally {
      // Also when it has failed: with no version in common it cannot even authenticate.
      const versions = cluster.brokerPool.seedBroker?.versions;
      if (versions) checkVersions(versions, sasl === undefined ? NEEDED : [...NEEDED, ...NEEDED_FOR_SASL]);
    }
    await findTopics(cluster, subscription.topics);
    await settleOffsets(cluster, subscription);
  } finally {
    await cluster.disconnect();
  }
}

type Versions = Readonly<Record<number, { minVersion: number; maxVersion: number } | undefined>>;

interface Partitions {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
}

/** The part of kafkajs' inner Cluster that we need; its public Admin can do none of it without a group of its own. */
interface Cluster {
  readonly brokerPool: { readonly seedBroker?: { readonly versions: Versions | null } };
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  metadata(options: { topics: readonly string[] }): Promise<{ topicMetadata: { topic: string }[] }>;
  findTopicPartitionMetadata(topic: string): { partitionId: number }[];
  fetchTopicsOffset(
    topics: { topic: string; partitions: { partition: number }[]; fromBeginning: boolean }[],
  ): Promise<Partitions[]>;
  findGroupCoordinator(options: { groupId: string }): Promise<{
    offsetFetch(options: { groupId: string; topics: unknown }): Promise<{ responses: Partitions[] }>;
    offsetCommit(options: {
      groupId: string;
      groupGenerationId: number;
      memberId: string;
      topics: Partitions[];
    }): Promise<unknown>;
  }>;
}

function clusterOf(kafka: Kafka): Cluster {
  const inner = kafka as unknown as Record<symbol, (options: object) => Cluster>;
  const create = Object.getOwnPropertySymbols(inner).find(({ description }) => description === CREATE_CLUSTER);
  if (create === undefined) throw new Error('expected kafkajs 2.2.4: it keeps its cluster elsewhere');
  return inner[create]!({ allowAutoTopicCreation: false, metadataMaxAge: 60_000 });
}

const CREATE_CLUSTER = 'private:Kafka:createCluster';

const NEEDED = [
  'Fetch',
  'ListOffsets',
  'Metadata',
  'OffsetCommit',
  'OffsetFetch',
  'GroupCoordinator',
  'JoinGroup',
  'Heartbeat',
  'LeaveGroup',
  'SyncGroup',
];
const NEEDED_FOR_SASL = ['SaslHandshake', 'SaslAuthenticate'];

/** kafkajs looks only at the newest version that a broker speaks; one that no longer speaks the old ones fails later, obscurely. */
export function checkVersions(versions: Versions, needed: readonly string[] = NEEDED): void {
  for (const name of needed) {
    const ours = protocol.requests[name]!.versions.map(Number);
    const theirs = versions[apiKeys[name]!];
    if (theirs !== undefined && theirs.minVersion <= Math.max(...ours) && theirs.maxVersion >= Math.min(...ours))
      continue;
    const got = theirs === undefined ? 'does not know it' : `speaks ${theirs.minVersion} to ${theirs.maxVersion}`;
    throw new KafkaFailure(
      'UnsupportedBroker',
      `the broker and our Kafka client have no version of ${name} in common: we speak ${Math.min(...ours)} to ${Math.max(...ours)}, it ${got}; use Apache Kafka from 0.11 up to 4`,
    );
  }
}

async function findTopics(cluster: Cluster, topics: readonly string[]): Promise<void> {
  try {
    await cluster.addMultipleTargetTopics(topics);
  } catch (error) {
    if ((error as { type?: string }).type !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
    const { topicMetadata } = await cluster.metadata({ topics: [] });
    const there = new Set(topicMetadata.map(({ topic }) => topic));
    const missing = topics.filter((topic) => !there.has(topic));
    throw new KafkaFailure(
      'TopicNotFound',
      `the cluster has no topic ${missing.join(', ') || topics.join(', ')}; create it, or correct spec.topics`,
      error,
    );
  }
}

/** Commits where the partitions begin that the group has no offset for, as Knative's controller does before it starts consumers. */
async function settleOffsets(cluster: Cluster, subscription: KafkaSubscription): Promise<void> {
  const groupId = subscription.group;
  const coordinator = await cluster.findGroupCoordinator({ groupId });
  const { responses } = await coordinator.offsetFetch({
    groupId,
    topics: subscription.topics.map((topic) => ({
      topic,
      partitions: cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ partition: partitionId })),
    })),
  });
  const unsettled = responses
    .map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.filter(({ offset }) => Number(offset) < 0).map(({ partition }) => ({ partition })),
      fromBeginning: subscription.initialOffset === 'earliest',
    }))
    .filter(({ partitions }) => partitions.length > 0);
  if (unsettled.length === 0) return;
  const topics = await cluster.fetchTopicsOffset(unsettled);
  try {
    await coordinator.offsetCommit({ groupId, groupGenerationId: -1, memberId: '', topics });
  } catch (error) {
    // The group has members: they have settled theirs, and what is newer is read from its beginning.
    if ((error as { type?: string }).type !== 'UNKNOWN_MEMBER_ID') throw error;
  }
}
