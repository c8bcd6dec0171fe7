import type { SourceHost } from '@millrace/bus/control/ports';
import type { Logger } from '@millrace/bus/telemetry/logger';
import { kafkaSource } from '@millrace/sources/kafka/source';
import { webhookSource } from '@millrace/sources/webhook/source';

/** Declared sources, run in this process. What they say of themselves goes to the log too. */
export function localSources(aliases: Readonly<Record<string, string>>, logger: Logger): SourceHost {
  return (feed, outlet, report) => {
    const { name } = feed;
    const told: typeof report = (status) => {
      report(status);
      const { reason, message } = status;
      if (status.ready) logger.info('a source is ready', { source: name, reason, message });
      else logger.warn('a source is not ready', { source: name, reason, message });
    };
    switch (feed.kind) {
      case 'KafkaSource':
        return kafkaSource({ ...feed.options, aliases }, outlet, told);
      case 'WebhookSource':
        return webhookSource(feed.options, outlet, told);
    }
  };
}
