import type { EntrySummary, EventDetail } from '@millrace/bus/admin/views';

import type { AdminClient } from './client.ts';
import { CommandFailure, EXIT } from './exit-codes.ts';

/** A reply with its own replies. */
export interface Reply extends EntrySummary {
  readonly replies: readonly Reply[];
  /** True where replies were left out: too deep, or too many. */
  readonly isCut?: true;
}

/** An event with where it came from and what came of it. */
export interface Lineage extends EventDetail {
  /** The event that this is the reply of, then what that is the reply of, up to the first; or to what is still kept. */
  readonly causes: readonly EntrySummary[];
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
      const inner = (await detail(client, reply.position))?.replies ?? [];
      const below = deeper > 0 ? await withReplies(inner, deeper - 1) : [];
      found.push({ ...reply, replies: below, ...(below.length < inner.length ? { isCut: true } : {}) });
    }
    return found;
  }
  const causes = await causesOf(client, event);
  return { ...event, causes, replies: depth > 0 ? await withReplies(event.replies, depth - 1) : [] };
}

async function causesOf(client: AdminClient, event: EntrySummary): Promise<EntrySummary[]> {
  const causes: EntrySummary[] = [];
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

function summaryOf(event: EventDetail): EntrySummary {
  const { position, topic, arrivedAt, id, type, source, subject, hops, cause, size } = event;
  return { position, topic, arrivedAt, id, type, source, subject, hops, cause, size };
}
