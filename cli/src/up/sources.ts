import type { SourceHost } from '@millrace/bus/control/ports';
import { kafkaSource } from '@millrace/sources/kafka/source';
import { webhookSource } from '@millrace/sources/webhook/source';

/** Declared sources, run in this process. */
export function localSources(aliases: Readonly<Record<string, string>>): SourceHost {
  return (feed, outlet, report) => {
    switch (feed.kind) {
      case 'KafkaSource':
        return kafkaSource({ ...feed.options, aliases }, outlet, report);
      case 'WebhookSource':
        return webhookSource(feed.options, outlet, report);
    }
  };
}
