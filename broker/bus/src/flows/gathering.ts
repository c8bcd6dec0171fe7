import { HandlerFailure } from '@millrace/event/handler';
import type { Answer } from '@millrace/event/handler';
import { makeEvent } from '@millrace/event/event';

import type { Environment } from '../environment.ts';
import type { Gate } from '../log/gate.ts';
import type { History } from '../log/history.ts';
import type { Entry, Log, Position } from '../log/log.ts';
import { encodeOutcomes } from './part-outcome.ts';
import type { PartOutcome } from './part-outcome.ts';
import type { DeliveryKey, Strands } from './strands.ts';

/** What a join and a map stand on. */
export interface Gathering {
  readonly strands: Strands;
  readonly log: Pick<Log, 'get'>;
  readonly history: Pick<History, 'replies'>;
  readonly gate: Gate;
  readonly environment: Environment;
  /** The longest data of an event, in bytes. */
  readonly maxEventBytes: number;
  /** Calls a delivery off; resolves as `RunningRoute.cancel` does. */
  readonly cancel: (at: DeliveryKey) => Promise<boolean>;
}

/** What failed because parts of it did (424 Failed Dependency): not worth another attempt, as the parts had theirs. */
export function failedParts(message: string): HandlerFailure {
  return new HandlerFailure(message, { status: 424, body: Buffer.from(message) });
}

/** One event that tells what came of the parts: with the subject and the extensions of the event that they were of. */
export function gathered(
  { event }: Entry,
  flow: string,
  told: {
    readonly type: string;
    readonly as: 'branch' | 'item';
    readonly parts: readonly (readonly [string | number, PartOutcome])[];
  },
  { log, environment, maxEventBytes }: Gathering,
): Answer {
  const { id, subject, extensions } = event;
  const attributes = {
    ...extensions,
    specversion: '1.0',
    id,
    source: `/flows/${flow}`,
    type: told.type,
    subject,
    time: new Date(environment.now()).toISOString(),
    datacontenttype: 'application/json',
  };
  const eventAt = (position: Position) => log.get(position)?.event;
  const data = encodeOutcomes(told.as, told.parts, { eventAt, maxBytes: maxEventBytes });
  return { status: 200, event: makeEvent(attributes, data) };
}
