import type { SourceHost } from '@millrace/bus/control/ports';
import { compileTriggerFilter } from '@millrace/bus/filter/trigger-filter';
import type { Logger } from '@millrace/bus/telemetry/logger';
import type { WatchedObjects } from '@millrace/sources/api-server/objects';
import { apiServerSource } from '@millrace/sources/api-server/source';
import { kafkaSource } from '@millrace/sources/kafka/source';
import { pingSource } from '@millrace/sources/ping/source';
import { timerSource } from '@millrace/sources/timer/source';
import { webhookSource } from '@millrace/sources/webhook/source';

export interface LocalSourcesOptions {
  /** Other addresses for `host:port`s that sources are told. */
  readonly aliases: Readonly<Record<string, string>>;
  readonly logger: Logger;
  /** What ApiServerSources watch. */
  readonly objects: WatchedObjects;
}

/** Declared sources, run in this process. What they say of themselves goes to the log too. */
export function localSources({ aliases, logger, objects }: LocalSourcesOptions): SourceHost {
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
      case 'PingSource':
        return pingSource(feed.options, outlet, told);
      case 'ApiServerSource': {
        const { filter, ...options } = feed.options;
        return apiServerSource({ ...options, wants: compileTriggerFilter(filter), objects }, outlet, told);
      }
      case 'IntegrationSource':
        return timerSource(feed.options, outlet, told);
    }
  };
}
