import { makeEvent } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { attributesOf } from '@millrace/event/json';

import type { Arrival, Gate } from '../log/gate.ts';
import type { RequestReplyDoor } from '../plan/plan.ts';
import type { ReplyIds } from './reply-ids.ts';
import type { WaitingTable } from './waiting-table.ts';

export interface RequestRepliesOptions {
  readonly gate: Gate;
  readonly table: WaitingTable;
  readonly ids: ReplyIds;
}

/** How a request that was held has ended. Its event is in the log whatever this says. */
export type Held =
  | { readonly outcome: 'replied'; readonly event: CloudEvent }
  /** `late`: no reply in time. `stopping`: nobody is held any longer. `gone`: nor does the caller wait. */
  | { readonly outcome: 'late' | 'stopping' | 'gone' };

/** What was made of a reply, or why it is none. */
export type Replied = 'answered' | 'nobody waits' | 'no reply id' | 'no text' | 'not ours';

/** The RequestReplies at work: requests that are held until an event of their broker answers them (knative.md §1.7). */
export class RequestReplies {
  readonly #options: RequestRepliesOptions;
  readonly #held = new Set<AbortController>();
  #declared: ReadonlyMap<string, RequestReplyDoor> = new Map();
  #isStopping = false;

  constructor(options: RequestRepliesOptions) {
    this.#options = options;
  }

  /** How many requests are held. */
  get size(): number {
    return this.#options.table.size;
  }

  /** These are declared from now on, and no others. Requests that are held stay so. */
  declare(doors: readonly RequestReplyDoor[]): void {
    this.#declared = new Map(doors.map((it) => [it.name, it]));
  }

  /**
   * Takes an event into the broker and holds on until it is answered. Rejects as the gate does; nothing is held then.
   * The signal aborts when the caller has gone.
   */
  async ask(door: RequestReplyDoor, arrival: Arrival, signal: AbortSignal): Promise<Held> {
    const { gate, table, ids } = this.#options;
    const { name, topic, correlationAttribute, timeoutMs } = door;
    const id = ids.make(name, arrival.event.id);
    const event = makeEvent({ ...attributesOf(arrival.event), [correlationAttribute]: id }, arrival.event.data);
    const held = new AbortController();
    const letGo = () => held.abort();
    signal.addEventListener('abort', letGo, { once: true });
    this.#held.add(held);
    try {
      // Before the event enters: its reply may be here before the gate has said that it is in.
      const waited = table.wait(id, timeoutMs, held.signal);
      await gate.enter(topic, [{ ...arrival, event }]);
      const reply = await waited;
      if (reply !== undefined) return { outcome: 'replied', event: reply };
      return { outcome: signal.aborted ? 'gone' : this.#isStopping ? 'stopping' : 'late' };
    } finally {
      held.abort();
      signal.removeEventListener('abort', letGo);
      this.#held.delete(held);
    }
  }

  /** Gives a reply to the request that it answers. */
  reply({ name, replyAttribute }: RequestReplyDoor, event: CloudEvent): Replied {
    const id = attributesOf(event)[replyAttribute];
    if (id === undefined) return 'no reply id';
    if (typeof id !== 'string') return 'no text';
    if (!this.#options.ids.isOurs(name, id)) return 'not ours';
    return this.#options.table.answer(id, event) ? 'answered' : 'nobody waits';
  }

  /** The same for what the broker's route brings: true when somebody waited for it. */
  answerWaiter(requestReply: string, event: CloudEvent): boolean {
    const door = this.#declared.get(requestReply);
    return door !== undefined && this.reply(door, event) === 'answered';
  }

  /** Holds nobody any longer. */
  drain(): void {
    this.#isStopping = true;
    for (const held of this.#held) held.abort();
  }
}
