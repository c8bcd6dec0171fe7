import type { Accepted, Attempted } from '../log/facts.ts';
import { listen } from './listen.ts';
import type { Logger } from './levels.ts';

/** How much is told. */
export interface TellOptions {
  /** Whether what went well is told too, at `debug`. */
  readonly tellsSuccess: boolean;
  /** How the command is called. */
  readonly command: string;
}

/**
 * Puts what the bus tells into sentences: each failed attempt a warning, each dead letter an error that says what to do,
 * everything else at `debug`. Never the data of an event. The returned function stops it.
 */
export function hearFacts(logger: Logger, options: TellOptions): () => void {
  const { tellsSuccess } = options;
  const attempted = (fact: Attempted): void => tellAttempt(fact, logger, options);
  if (!tellsSuccess) return listen({ attempted });
  return listen({
    attempted,
    accepted: (fact) => tellAccepted(fact, logger),
    refused: (fact) => logger.debug('a request was refused', { ...fact }),
  });
}

function tellAccepted({ entries, duration }: Accepted, logger: Logger): void {
  for (const { topic, position, event } of entries) {
    const { id, type, source } = event;
    logger.debug('an event was accepted', { topic, position, event: id, type, source, duration: `${duration} ms` });
  }
}

function tellAttempt({ entry, settlement }: Attempted, logger: Logger, { tellsSuccess, command }: TellOptions): void {
  const { route, position, attempt, stage, outcome, startedAt, duration, status, failure, next } = settlement;
  if (outcome === 'delivered' && !tellsSuccess) return;
  const what = { route, event: entry.event.id, position, attempt };
  const why = { status, reason: failure?.message, destination: failure?.destination };
  switch (outcome) {
    case 'delivered':
      logger.debug('an event was delivered', { ...what, status, duration: `${duration} ms` });
      return;
    case 'retrying': {
      const wait = next === undefined ? undefined : seconds(next.dueAt - (startedAt + duration));
      if (stage === 'deadLetterSink') {
        logger.warn('the dead letter sink did not take an event', { ...what, ...why, next: `again in ${wait}` });
        return;
      }
      const then = next?.stage === 'deadLetterSink' ? 'to the dead letter sink' : `again in ${wait}`;
      logger.warn('an attempt failed', { ...what, ...why, next: then });
      return;
    }
    case 'cancelled':
      logger.info('a delivery was cancelled', what);
      return;
    case 'deadLettered':
      logger.error('an event went to the dead letter sink: look there for it, the reason is in its attributes', what);
      return;
    case 'parked':
      logger.error(
        `an event could not be delivered and rests among the dead letters: ${command} dlq show ${position} --route ${route}`,
        { ...what, ...why },
      );
  }
}

function seconds(milliseconds: number): string {
  return `${(Math.max(0, milliseconds) / 1_000).toFixed(1)} s`;
}
