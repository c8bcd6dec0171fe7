import type { Channel } from 'node:diagnostics_channel';

/**
 * Hears the facts of a channel; the returned function stops that. What `hear` throws would end the process (Node reports
 * it as uncaught), so it must not throw.
 */
export function listen<Fact>(channel: Channel, hear: (fact: Fact) => void): () => void {
  const listener = (fact: unknown): void => hear(fact as Fact);
  channel.subscribe(listener);
  return () => {
    channel.unsubscribe(listener);
  };
}
