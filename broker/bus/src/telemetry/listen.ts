import { facts } from '../log/facts.ts';
import type { Accepted, Attempted, Prewarmed, Refused } from '../log/facts.ts';

/** What is done on hearing a fact. It must not throw: Node would end the process. */
export interface Listeners {
  readonly accepted?: (fact: Accepted) => void;
  readonly refused?: (fact: Refused) => void;
  readonly attempted?: (fact: Attempted) => void;
  readonly prewarmed?: (fact: Prewarmed) => void;
}

/** Hears what the bus tells; the returned function stops that. */
export function listen(listeners: Listeners): () => void {
  const stops = Object.entries(listeners).map(([name, hear]) => {
    const channel = facts[name as keyof typeof facts];
    const listener = (fact: unknown): void => (hear as (fact: unknown) => void)(fact);
    channel.subscribe(listener);
    return () => channel.unsubscribe(listener);
  });
  return () => {
    for (const stop of stops) stop();
  };
}
