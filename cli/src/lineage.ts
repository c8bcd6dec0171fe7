import type { EntrySummary, EventDetail } from '@millrace/bus/admin/views';
import { usageIn } from '@millrace/bus/telemetry/usage';
import type { LlmUsage } from '@millrace/bus/telemetry/usage';

import type { AdminClient } from './client.ts';
import { CommandFailure, EXIT } from './exit-codes.ts';

/** An event of a run, with what it says that a model has cost. */
export interface RunEntry extends EntrySummary {
  readonly usage?: LlmUsage;
}

/** A reply with its own replies. */
export interface Reply extends RunEntry {
  readonly replies: readonly Reply[];
  /** True where replies were left out: too deep, or too many. */
  readonly isCut?: true;
}

/** An event with where it came from and what came of it. */
export interface Lineage extends EventDetail {
  readonly usage?: LlmUsage;
  /** The event that this is the reply of, then what that is the reply of, up to the first; or to what is still kept. */
  readonly causes: readonly RunEntry[];
  readonly replies: readonly Reply[];
}

/** The bus lets no event come farther. */
const MOST_HOPS = 255;
/** Of replies; a request each. */
const MOST_REPLIES = 200;

/** Asks for the ancestors of an event, and for its descendants down to a depth (0: none). */
export async function lineageOf(client: AdminClient, event: EventDetail, depth: number): Promise<Lineage> {
  let left = MOST_REPLIES;

  async function withReplies(replies: readonly EntrySummary[], deeper: number): Promise<Reply[]> {
    const found: Reply[] = [];
    for (const reply of replies) {
      if (left === 0) break;
      left -= 1;
      const whole = await detail(client, reply.position);
      const inner = whole?.replies ?? [];
      const below = deeper > 0 ? await withReplies(inner, deeper - 1) : [];
      found.push({
        ...reply,
        ...usageOf(whole),
        replies: below,
        ...(below.length < inner.length ? { isCut: true } : {}),
      });
    }
    return found;
  }
  const causes = await causesOf(client, event);
  return { ...event, ...usageOf(event), causes, replies: depth > 0 ? await withReplies(event.replies, depth - 1) : [] };
}

async function causesOf(client: AdminClient, event: EntrySummary): Promise<RunEntry[]> {
  const causes: RunEntry[] = [];
  for (let { cause } = event; cause !== undefined && causes.length <= MOST_HOPS;) {
    const found = await detail(client, cause.position);
    if (found === undefined) break;
    causes.push(summaryOf(found));
    cause = found.cause;
  }
  return causes;
}

/** Undefined for what is not kept any more. */
async function detail(client: AdminClient, position: number): Promise<EventDetail | undefined> {
  try {
    return await client.get<EventDetail>(`/api/events/${position}`);
  } catch (error) {
    if (error instanceof CommandFailure && error.exitCode === EXIT.notFound) return undefined;
    throw error;
  }
}

function usageOf(event: EventDetail | undefined): { usage?: LlmUsage } {
  const usage = event === undefined ? undefined : usageIn(event.attributes);
  return usage === undefined ? {} : { usage };
}

function summaryOf(event: EventDetail): RunEntry {
  const { position, topic, arrivedAt, id, type, source, subject, hops, cause, size } = event;
  return { position, topic, arrivedAt, id, type, source, subject, hops, cause, size, ...usageOf(event) };
}
