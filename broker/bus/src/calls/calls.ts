import { makeEvent } from '@millrace/event/event';
import type { Headers } from '@millrace/event/handler';

import type { Gate } from '../log/gate.ts';
import type { Entry, Log, Position } from '../log/log.ts';
import type { Store } from '../log/store.ts';
import { callTopic, resultTopic } from '../plan/calls.ts';
import { answerHeadOf, withCallHead } from './head.ts';
import type { AnswerHead, CallHead } from './head.ts';
import { CALL_TYPE } from './result.ts';
import { viewOf } from './view.ts';
import type { CallView } from './view.ts';

/** What is accepted. */
export interface NewCall {
  readonly id: string;
  /** `<namespace>/<service>`. */
  readonly workload: string;
  readonly head: CallHead;
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
  readonly headers: Headers | undefined;
  readonly hops: number;
}

/** What came of a call. */
export interface CallResult {
  readonly head: AnswerHead;
  readonly body: Uint8Array;
}

export interface CallsOptions {
  readonly store: Store;
  readonly gate: Gate;
  /** The number of the attempt that is under way on a route; undefined when none is. */
  readonly underWay: (route: string, position: Position) => number | undefined;
  /** Calls a call off on its route; resolves as `RunningRoute.cancel` does. */
  readonly cancel: (route: string, entry: Entry) => Promise<boolean>;
}

/** The asynchronous calls of functions: entries of the log like all others, with an id of their own. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #log: Log;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.#log = options.store.log;
  }

  /** Resolves when the call is durable. Rejects as the gate does. */
  async accept(call: NewCall): Promise<void> {
    const { id, workload, head, body, headers, hops } = call;
    const attributes = { specversion: '1.0', id, source: `/functions/${workload}`, type: CALL_TYPE };
    const event = makeEvent(
      { ...attributes, datacontenttype: call.contentType },
      body.byteLength === 0 ? undefined : body,
    );
    const arrival = { event, headers: withCallHead(headers, head), hops, findable: true };
    await this.#options.gate.enter(callTopic(workload), [arrival]);
  }

  /** The newest call with this id; undefined when there is none, or retention has taken it. */
  find(id: string): Entry | undefined {
    const entry = this.#options.store.history.find(id);
    return entry?.topic.startsWith(CALLS) === true ? entry : undefined;
  }

  /** How it is. */
  view(call: Entry): CallView {
    const { history } = this.#options.store;
    const route = call.topic;
    return viewOf({
      call,
      underWay: this.#options.underWay(route, call.position),
      waiting: history.waitingFor(call.position).find((it) => it.route === route),
      attempts: history.attempts(call.position).filter((it) => it.route === route),
      answer: this.#answer(call)?.head,
    });
  }

  /** What came of it: `open` while nothing has, `gone` when retention has taken it. */
  result(call: Entry): CallResult | 'open' | 'gone' {
    const { finished } = this.view(call);
    if (finished === undefined) return 'open';
    return this.#answer(call) ?? 'gone';
  }

  /** Calls it off. Resolves when that is durable: false when it was over already. */
  cancel(call: Entry): Promise<boolean> {
    return this.#options.cancel(call.topic, call);
  }

  /** Resolves when it is over, or the signal aborts. */
  async finished(call: Entry, signal: AbortSignal): Promise<void> {
    const topic = resultTopic(workloadOf(call));
    for (let after = this.#log.end(topic); this.view(call).finished === undefined && !signal.aborted;) {
      const [...results] = await this.#log.read(topic, after, RESULTS_AT_ONCE, signal);
      after = results.at(-1)?.position ?? after;
    }
  }

  /** The newest: a call that was redriven has several. */
  #answer(call: Entry): CallResult | undefined {
    const entry = this.#options.store.history
      .replies(call.position)
      .findLast((it) => it.topic === resultTopic(workloadOf(call)));
    const head = answerHeadOf(entry?.headers);
    return head === undefined ? undefined : { head, body: entry?.event.data ?? new Uint8Array() };
  }
}

const RESULTS_AT_ONCE = 256;
const CALLS = callTopic('');

/** A call stands in the topic of its function. */
function workloadOf({ topic }: Entry): string {
  return topic.slice(callTopic('').length);
}
