// For a test: a Kafka source whose process is killed after its events are durable and before their offset is committed.
// Arguments: the source's options as JSON.
import type { KafkaSourceOptions } from './source.ts';
import { kafkaSource } from './source.ts';

const options = JSON.parse(process.argv[2]!) as KafkaSourceOptions;
kafkaSource(
  options,
  {
    emit: async () => void process.kill(process.pid, 'SIGKILL'),
    park: () => Promise.resolve(),
  },
  ({ reason }) => process.stdout.write(`${reason}\n`),
);
