import { EventFault } from '@millrace/event/event';
import type { CloudEvent } from '@millrace/event/event';
import { travellingHeaders } from '@millrace/event/http';
import type { Outlet, StartSource, WebRequest, WebResponse } from '@millrace/event/source';

import {
  ACCEPTED,
  handshake,
  methodNotAllowed,
  problem,
  refusalOf,
  unavailable,
  unsupportedMediaType,
} from './answer.ts';
import { createMapping } from './event.ts';
import type { EventTemplates } from './event.ts';
import { githubWebhooks } from './github.ts';
import { mediaTypeOf } from './media-type.ts';
import { createReplayGuard } from './replay.ts';
import { SecretFault } from './signature.ts';
import type { Verify } from './signature.ts';
import { standardWebhooks } from './standard-webhooks.ts';

/** A WebhookSource with all that it refers to resolved. */
export interface WebhookSourceOptions {
  readonly namespace: string;
  readonly name: string;
  /** Where requests reach it; it is told in the status, and routing is the caller's. */
  readonly path: string;
  readonly event: EventTemplates;
  /**
   * Media types in lower case, without parameters. Any other is refused, also of a request that is an event already or
   * that names none. Without it all are taken.
   */
  readonly contentTypes?: readonly string[] | undefined;
  /** Without it, whoever can reach the path can send events. */
  readonly verify?: WebhookVerification | undefined;
  /** Extensions that every event gets, over its own. */
  readonly extensions: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** How senders prove who they are. */
export interface WebhookVerification {
  readonly kind: 'standard-webhooks' | 'github';
  /** At least one; any of them will do, so that they can be rotated. */
  readonly secrets: readonly string[];
  /** How far a timestamp of Standard Webhooks may be from now, both ways. Default 300. */
  readonly toleranceSeconds?: number | undefined;
}

/**
 * Takes events as HTTP requests:
 *
 *   POST ─ content type? ─ 415
 *           └ signature? ─ 401
 *              └ an event? ─ 400
 *                 └ this id is durable already ───────────┐
 *                 └ emit ─▶ durable ─▶ remember the id ─▶ 202
 *                     └ refused: 503, or what the error asks for; the id is not remembered
 *   OPTIONS ─ the CloudEvents handshake;  anything else ─ 405
 *
 * `receive` never rejects, and no answer holds a secret. Draining, it answers 503.
 */
export const webhookSource: StartSource<WebhookSourceOptions> = (options, outlet, report) => {
  const take = createTaking(options, outlet);
  if ('fault' in take) report({ ready: false, reason: take.reason, message: take.fault });
  else report({ ready: true, reason: 'Listening', message: `takes POST ${options.path}` });
  const running = new Set<Promise<WebResponse>>();
  let draining = false;

  return {
    async receive(request) {
      if (request.method === 'OPTIONS') return handshake(headersOf(request)('webhook-request-origin'));
      if (request.method !== 'POST') return methodNotAllowed(request.method);
      if (draining) return unavailable('the webhook is being closed; send it again');
      if ('fault' in take)
        return unavailable('the webhook is not configured completely; its status says what is missing');
      const answer = take.post(request).catch(() => problem(500, 'the request could not be handled'));
      running.add(answer);
      try {
        return await answer;
      } finally {
        running.delete(answer);
      }
    },
    async drain() {
      draining = true;
      await Promise.all(running);
    },
  };
};

type Taking =
  | { readonly post: (request: WebRequest) => Promise<WebResponse> }
  | { readonly fault: string; readonly reason: 'InvalidSecret' | 'InvalidTemplate' };

function createTaking(options: WebhookSourceOptions, outlet: Outlet): Taking {
  const { namespace, name, contentTypes, now = Date.now } = options;
  const source = `/apis/v1/namespaces/${namespace}/webhooksources/${name}`;
  const guard = createReplayGuard(now);
  let verify: Verify | undefined;
  let eventsOf: ReturnType<typeof createMapping>;
  try {
    verify = options.verify && createVerify(options.verify);
    eventsOf = createMapping(options.event, source, options.extensions);
  } catch (error) {
    if (error instanceof SecretFault) return { fault: error.message, reason: 'InvalidSecret' };
    if (error instanceof EventFault) return { fault: error.message, reason: 'InvalidTemplate' };
    throw error;
  }

  return { post };

  async function post(request: WebRequest): Promise<WebResponse> {
    const header = headersOf(request);
    const contentType = header('content-type');
    if (contentTypes !== undefined && !contentTypes.includes(mediaTypeOf(contentType ?? '')))
      return unsupportedMediaType(contentTypes, contentType);
    const arrived = now();
    const verdict = verify?.({ header, body: request.body, now: arrived });
    if (verdict?.genuine === false) return problem(401, verdict.reason);
    let events: CloudEvent[];
    try {
      events = eventsOf({ ...request, header, id: verdict?.id, now: arrived });
    } catch (error) {
      if (!(error instanceof EventFault)) throw error;
      return problem(error.unsupportedMediaType ? 415 : 400, error.message);
    }
    const emit = () => outlet.emit(events, travellingHeaders(request.rawHeaders));
    try {
      if (verdict?.id === undefined) await emit();
      else await guard.once(verdict.id, verdict.repeatedUntil, emit);
    } catch (error) {
      return refusalOf(error);
    }
    return ACCEPTED;
  }
}

function createVerify({ kind, secrets, toleranceSeconds }: WebhookVerification): Verify {
  // With none, nothing could ever be genuine; it must not look as if it were ready.
  if (secrets.length === 0) throw new SecretFault(0, 'at least one secret');
  return kind === 'github' ? githubWebhooks(secrets) : standardWebhooks(secrets, toleranceSeconds);
}

/** A request's headers by lower-case name; of a repeated one the values, joined as HTTP joins them (RFC 9110 §5.3). */
function headersOf({ rawHeaders }: WebRequest): (name: string) => string | undefined {
  const headers = new Map<string, string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? rawHeaders[index + 1]! : `${before}, ${rawHeaders[index + 1]!}`);
  }
  return (name) => headers.get(name);
}
