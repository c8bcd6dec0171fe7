import { post } from '../support/events.ts';
import type { Outgoing } from '../support/events.ts';
import type { Received } from '../support/subscriber.ts';

/** What was sent and what was acknowledged, kept outside the process under test. */
export interface Ledger {
  /** By id, the data of everything that was sent, acknowledged or not. */
  readonly sent: ReadonlyMap<string, Uint8Array>;
  /** By id, the data of what was answered 202. */
  readonly acknowledged: ReadonlyMap<string, Uint8Array>;
  /** How often each other answer came; 0 stands for none. */
  readonly refused: ReadonlyMap<number, number>;
  /** Sends an event and writes down what came of it. */
  send(url: string, event: Outgoing & { readonly id: string; readonly data: Uint8Array }): Promise<Answered>;
}

/** The answer to an event; with the status 0 when there was none. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export function openLedger(): Ledger {
  const sent = new Map<string, Uint8Array>();
  const acknowledged = new Map<string, Uint8Array>();
  const refused = new Map<number, number>();
  return {
    sent,
    acknowledged,
    refused,
    async send(url, event) {
      sent.set(event.id, event.data);
      const answered = await answerOf(post(url, { contentType: 'application/octet-stream', ...event }));
      const { status } = answered;
      if (status === 202) acknowledged.set(event.id, event.data);
      else refused.set(status, (refused.get(status) ?? 0) + 1);
      return answered;
    },
  };
}

async function answerOf(answer: Promise<Response>): Promise<Answered> {
  try {
    const response = await answer;
    return { status: response.status, headers: response.headers, body: await response.text() };
  } catch {
    return { status: 0, headers: new Headers(), body: '' };
  }
}

/** How often each id came, with its data equal to what was sent; throws where it is not. */
export function deliveriesById(received: readonly Received[], { sent }: Ledger): Map<string, number> {
  const times = new Map<string, number>();
  for (const { event, body } of received) {
    const id = event!.id;
    const data = sent.get(id);
    if (data === undefined) throw new Error(`${id} came and was never sent`);
    if (Buffer.compare(data, body) !== 0)
      throw new Error(`${id} came with ${body.length} bytes that are not the ${data.length} that were sent`);
    times.set(id, (times.get(id) ?? 0) + 1);
  }
  return times;
}

/** The acknowledged ids that never came. */
export function missing({ acknowledged }: Ledger, times: ReadonlyMap<string, number>): string[] {
  return [...acknowledged.keys()].filter((id) => !times.has(id));
}
