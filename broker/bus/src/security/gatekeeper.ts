import type { CloudEvent } from '@millrace/event/event';

import type { Filter } from '../filter/filter.ts';
import { compileTriggerFilter } from '../filter/trigger-filter.ts';
import type { AppliedPolicy, AuthorizationMode, Protection, SenderIdentity } from '../plan/protection.ts';
import { bearerOf } from './bearer.ts';
import { subjectOf } from './subject.ts';
import type { Verify } from './verifier.ts';

/** Why somebody may not send: an HTTP status, and what to tell him. */
export interface Turned {
  readonly status: 401 | 403 | 503;
  readonly detail: string;
}

/** What is protected, ready to be asked. */
interface Guarded {
  readonly protection: Protection;
  readonly policies: readonly { readonly isOf: (subject: string) => boolean; readonly passes: Filter }[];
}

/** Stands at every address that takes events, where senders are authenticated. */
export class Gatekeeper {
  readonly #verify: Verify;
  #byPath: ReadonlyMap<string, Guarded> = new Map();
  #byTopic: ReadonlyMap<string, Guarded> = new Map();

  constructor(verify: Verify) {
    this.#verify = verify;
  }

  /** What holds from now on, all at once. */
  declare(protections: readonly Protection[]): void {
    const all = protections.map(guarded);
    this.#byPath = new Map(all.map((it) => [it.protection.path, it]));
    this.#byTopic = new Map(
      all.flatMap((it) => (it.protection.topic === undefined ? [] : [[it.protection.topic, it] as const])),
    );
  }

  /**
   * Whether the events may go to the address at a path of the data port: undefined when they may. All of them, or none.
   * `rawHeaders` are those of the request.
   */
  async check(
    path: string,
    rawHeaders: readonly string[],
    events: () => readonly CloudEvent[],
  ): Promise<Turned | undefined> {
    return this.#check(this.#byPath.get(path), rawHeaders, events);
  }

  /** Whether somebody who could send an entry of the topic may see what became of it. */
  async checkTopic(topic: string, rawHeaders: readonly string[], event: CloudEvent): Promise<Turned | undefined> {
    return this.#check(this.#byTopic.get(topic), rawHeaders, () => [event]);
  }

  /**
   * Whether a sender of ours, a resource by its key, may bring an event into a topic: why not, or undefined. What belongs
   * to itself, as the steps of a flow do, it may enter.
   */
  judge(
    { key, identity }: { readonly key: string; readonly identity?: SenderIdentity | undefined },
    topic: string,
    event: CloudEvent,
  ): string | undefined {
    const here = this.#byTopic.get(topic);
    if (here === undefined || identity === undefined || here.protection.key === key) return undefined;
    const subject = subjectOf(identity);
    return isAllowed(here, subject, [event]) ? undefined : forbidden(here.protection, subject);
  }

  async #check(
    here: Guarded | undefined,
    rawHeaders: readonly string[],
    events: () => readonly CloudEvent[],
  ): Promise<Turned | undefined> {
    if (here === undefined) return { status: 403, detail: 'nobody may send events here now' };
    const { protection } = here;
    const { audience } = protection;
    const token = bearerOf(rawHeaders);
    if (token === undefined) {
      return {
        status: 401,
        detail: `expected one header Authorization: Bearer with a token for the audience ${audience}`,
      };
    }
    const verified = await this.#verify(token, audience);
    switch (verified.outcome) {
      case 'refused':
        return { status: 401, detail: `the token is not taken: ${verified.reason}; the audience here is ${audience}` };
      case 'unavailable':
        return { status: 503, detail: verified.reason };
      case 'verified': {
        const { subject } = verified;
        return isAllowed(here, subject, events()) ? undefined : { status: 403, detail: forbidden(protection, subject) };
      }
    }
  }
}

function guarded(protection: Protection): Guarded {
  return { protection, policies: protection.policies.map(compiled) };
}

function compiled({ subjects, filters }: AppliedPolicy): Guarded['policies'][number] {
  const matches = subjects.map(matcher);
  return { isOf: (subject) => matches.some((it) => it(subject)), passes: compileTriggerFilter({ filters }) };
}

/** Equal whatever the case, or begun so where a star says it (knative.md §8.2). */
function matcher(pattern: string): (subject: string) => boolean {
  if (pattern.endsWith('*')) {
    const beginning = pattern.slice(0, -1);
    return (subject) => subject.startsWith(beginning);
  }
  const whole = pattern.toLowerCase();
  return (subject) => subject.toLowerCase() === whole;
}

/** Any policy that is of the sender and lets the event pass is enough: which one comes first must not matter. */
function isAllowed({ protection, policies }: Guarded, subject: string, events: readonly CloudEvent[]): boolean {
  if (policies.length === 0) return isAllowedBy(protection.mode, protection.namespace, subject);
  const own = policies.filter((it) => it.isOf(subject));
  return events.every((event) => own.some((it) => it.passes(event)));
}

function isAllowedBy(mode: AuthorizationMode, namespace: string, subject: string): boolean {
  if (mode === 'allow-same-namespace') return subject.startsWith(`system:serviceaccount:${namespace}:`);
  return mode === 'allow-all';
}

function forbidden({ key, policies, mode }: Protection, subject: string): string {
  const [kind, namespace, name] = key.split('/');
  const why = policies.length === 0 ? `the default mode is ${mode}` : `of ${policies.map((it) => it.name).join(', ')}`;
  const what = policies.length === 0 ? `no EventPolicy is for it, and ${why}` : `no EventPolicy ${why} lets it`;
  return `${subject} may not send this to the ${kind} ${namespace}/${name}: ${what}`;
}
