import type { Attempt } from '../log/history.ts';
import type { Entry } from '../log/log.ts';
import type { Waiting } from '../log/progress.ts';
import { callTopic } from '../plan/calls.ts';
import type { AnswerHead } from './head.ts';

/** How an asynchronous call is, as `GET /calls/<id>` tells it. Times are RFC 3339, durations milliseconds. */
export interface CallView {
  readonly id: string;
  /** `<namespace>/<service>`. */
  readonly function: string;
  readonly status: 'queued' | 'running' | 'retrying' | 'succeeded' | 'failed' | 'cancelled';
  readonly created: string;
  readonly finished?: string | undefined;
  readonly attempts: readonly CallAttempt[];
  readonly next?: { readonly attempt: number; readonly dueAt: string } | undefined;
  /** Where the answer is to be had. */
  readonly result: string;
}

export interface CallAttempt {
  readonly attempt: number;
  readonly startedAt: string;
  readonly duration: number;
  readonly outcome: string;
  readonly status?: number | undefined;
  readonly message?: string | undefined;
}

/** What is known of a call. */
export interface Known {
  readonly call: Entry;
  /** The attempt that is under way. */
  readonly underWay: number | undefined;
  readonly waiting: Waiting | undefined;
  readonly attempts: readonly Attempt[];
  readonly answer: AnswerHead | undefined;
}

const OUTCOMES = { delivered: 'succeeded', deadLettered: 'failed', parked: 'failed', cancelled: 'cancelled' } as const;
const OUTCOME_OF = { succeeded: 'delivered', failed: 'parked', cancelled: 'cancelled' } as const;

/** Puts together how a call is. */
export function viewOf({ call, underWay, waiting, attempts, answer }: Known): CallView {
  const { id } = call.event;
  const made = withAnswer(attempts, answer);
  const last = made.at(-1);
  // The answer is durable a little before its attempt is settled.
  const isUnderWay = underWay !== undefined && (answer === undefined || answer.attempt < underWay);
  const isWaiting = waiting !== undefined && (answer === undefined || answer.attempt < waiting.attempt);
  const status = statusOf();
  const isOver = last !== undefined && (status === 'succeeded' || status === 'failed' || status === 'cancelled');
  return {
    id,
    function: call.topic.slice(callTopic('').length),
    status,
    created: timeOf(call.arrivedAt),
    finished: isOver ? timeOf(last.startedAt + last.duration) : undefined,
    attempts: made.map((it) => ({
      attempt: it.attempt,
      startedAt: timeOf(it.startedAt),
      duration: it.duration,
      outcome: it.outcome,
      status: it.status,
      message: it.failure?.message,
    })),
    next: isWaiting && !isUnderWay ? { attempt: waiting.attempt, dueAt: timeOf(waiting.dueAt) } : undefined,
    result: `/calls/${encodeURIComponent(id)}/result`,
  };

  function statusOf(): CallView['status'] {
    if (isUnderWay) return 'running';
    if (isWaiting) return 'retrying';
    return last === undefined || last.outcome === 'retrying' ? 'queued' : OUTCOMES[last.outcome];
  }
}

/** What the answer tells of its attempt comes before what is written of it. */
function withAnswer(attempts: readonly Attempt[], answer: AnswerHead | undefined): readonly Attempt[] {
  if (answer === undefined || attempts.some((it) => it.attempt >= answer.attempt)) return attempts;
  const { attempt, outcome, startedAt, duration, status, message } = answer;
  const failure = message === undefined ? undefined : { destination: '', message };
  const route = attempts[0]?.route ?? '';
  return [
    ...attempts,
    { route, attempt, stage: 'subscriber', outcome: OUTCOME_OF[outcome], startedAt, duration, status, failure },
  ];
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
