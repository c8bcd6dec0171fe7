import { execFile, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { mendKafkajs } from '@millrace/sources/kafka/kafkajs-mend';
import kafkajs from 'kafkajs';

import { cacheFolder, fillFolder, provide } from './component.ts';
import type { Provided } from './component.ts';

/** A real, single-node Apache Kafka as a plain process on loopback, with its data in a temporary folder. */
export interface TestKafka {
  /** Its plain address, `127.0.0.1:PORT`; stays the same over restarts. */
  readonly address: string;
  /** The same broker behind a listener that advertises itself as `kafka:9092`, a name that nobody resolves. */
  readonly aliasedAddress: string;
  /** The same broker behind SASL/PLAIN without TLS: user `alice`, password `wonder`. */
  readonly saslAddress: string;
  /** A client of it that logs nothing. */
  readonly client: kafkajs.Kafka;
  /** Resolves when the topic's partitions have a leader. */
  createTopic(topic: string, partitions?: number): Promise<void>;
  /** SIGTERM, and resolves when the process is gone. The data stays. */
  stop(): Promise<void>;
  /** SIGKILL, and resolves when the process is gone. The data stays. */
  kill(): Promise<void>;
  /** Starts it again on the same ports and data; resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it and removes its data. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a Kafka, or tells why there is none. `MILLRACE_KAFKA_JARS` may name a folder with another version's jars
 * (`libs` of a Kafka distribution); an address would not do, as tests stop and kill what they get.
 */
export async function provideKafka(): Promise<Provided<TestKafka>> {
  const jars = await provide<string>({
    name: `Apache Kafka ${VERSION}`,
    given: () => process.env['MILLRACE_KAFKA_JARS'],
    obstacle: missingJava,
    cached: () => (existsSync(JARS) ? JARS : undefined),
    fetch: fetchJars,
  });
  return 'skip' in jars ? jars : { component: await startKafka(jars.component) };
}

const VERSION = '4.4.0';
const JARS = cacheFolder(`kafka-${VERSION}`);

function missingJava(): string | undefined {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' });
  if (java.error !== undefined) return 'there is no java on the PATH (17 or newer)';
  const version = Number(/version "(\d+)/.exec(java.stderr)?.[1]);
  return version >= 17 ? undefined : `java is of version ${version}, expected 17 or newer`;
}

// The broker's own dependencies name log4j-core 2.25.5; the binding beside it keeps slf4j from warning.
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.millrace</groupId><artifactId>test-kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.5</version></dependency>
  </dependencies>
</project>`;

async function fetchJars(): Promise<string> {
  await fillFolder(JARS, async (folder) => {
    const work = mkdtempSync(join(tmpdir(), 'millrace-kafka-pom-'));
    try {
      const pom = join(work, 'pom.xml');
      writeFileSync(pom, POM);
      const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`];
      await promisify(execFile)('mvn', ['-B', '-q', '-f', pom, ...goal]);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
  return JARS;
}

async function startKafka(jars: string): Promise<TestKafka> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-kafka-'));
  const properties = join(folder, 'server.properties');
  const [plain, controller, aliased, sasl] = (await freePorts(4)) as [number, number, number, number];
  const address = `127.0.0.1:${plain}`;
  writeFileSync(properties, serverProperties({ plain, controller, aliased, sasl, data: join(folder, 'data') }));
  const java = (...args: string[]) => [
    '-Xmx400m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-cp',
    `${jars}/*`,
    ...args,
  ];
  await promisify(execFile)('java', java('kafka.tools.StorageTool', 'format', '-t', CLUSTER, '-c', properties));

  mendKafkajs();
  const client = new kafkajs.Kafka({
    clientId: 'millrace-test',
    brokers: [address],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 60 },
  });
  let running: ChildProcess | undefined;

  async function restart(): Promise<void> {
    const child = spawn('java', java('kafka.Kafka', properties), { stdio: ['ignore', 'pipe', 'pipe'] });
    running = child;
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => (said = `${said}${text}`.slice(-4000)));
    const died = new Promise<never>((_, reject) => {
      child.once('exit', (code) => reject(new Error(`Kafka ended with code ${code} before it answered:\n${said}`)));
      child.once('error', reject);
    });
    await Promise.race([died, withAdmin(client, (admin) => admin.listTopics())]);
    died.catch(() => {});
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const child = running;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  const killAtExit = () => running?.kill('SIGKILL');
  process.once('exit', killAtExit);

  async function close(): Promise<void> {
    await end('SIGKILL');
    process.off('exit', killAtExit);
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    await restart();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    address,
    aliasedAddress: `127.0.0.1:${aliased}`,
    saslAddress: `127.0.0.1:${sasl}`,
    client,
    async createTopic(topic, partitions = 1) {
      await withAdmin(client, (admin) =>
        admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true }),
      );
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    restart,
    close,
  };
}

const CLUSTER = 'bWlsbHJhY2UtdGVzdC0wMQ';

// After a SIGKILL the controller keeps the broker's old session for broker.session.timeout.ms: with the default of 9 s
// a restart would take 12 s instead of 4.
function serverProperties(at: {
  plain: number;
  controller: number;
  aliased: number;
  sasl: number;
  data: string;
}): string {
  return `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${at.controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:${at.plain},CONTROLLER://127.0.0.1:${at.controller},ALIASED://127.0.0.1:${at.aliased},SASL://127.0.0.1:${at.sasl}
advertised.listeners=PLAINTEXT://127.0.0.1:${at.plain},ALIASED://kafka:9092,SASL://127.0.0.1:${at.sasl}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,ALIASED:PLAINTEXT,SASL:SASL_PLAINTEXT
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="wonder";
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
log.dirs=${at.data}
`;
}

async function withAdmin<T>(client: kafkajs.Kafka, use: (admin: kafkajs.Admin) => Promise<T>): Promise<T> {
  const admin = client.admin();
  try {
    await admin.connect();
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Ports that are free now, all different: they are held together, then let go. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer().once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
