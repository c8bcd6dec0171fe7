import type { ObjectStore } from '../objects/store.ts';
import { keyAt } from './addressing.ts';
import { decodeObject, mediaTypeOf, readBody } from './body.ts';
import { timestamp } from './environment.ts';
import { recordAt } from './json.ts';
import type { JsonRecord } from './json.ts';
import { namespaceKey } from './namespaces.ts';
import type { Exchange } from './exchange.ts';
import type { ObjectTarget } from './request-path.ts';
import { send } from './responses.ts';
import { invalid, methodNotAllowed, notFound, Refusal } from './status.ts';
import type { StatusCause } from './status.ts';

/** Makes tokens for ServiceAccounts. */
export interface ServiceAccountTokens {
  issue(request: {
    readonly subject: string;
    readonly audiences: readonly string[];
    readonly lifetimeSeconds: number;
    readonly claims: Readonly<Record<string, unknown>>;
  }): Promise<{
    readonly token: string;
    /** Milliseconds since 1970. */
    readonly expiresAt: number;
  }>;
  /** For whom they are when nobody is named. */
  audience(): string;
}

export interface TokenPorts {
  readonly store: ObjectStore;
  /** Undefined: none are made here. */
  readonly tokens: ServiceAccountTokens | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Of Kubernetes: ten minutes, an hour, and more than anybody waits for. */
const SHORTEST_SECONDS = 600;
const DEFAULT_SECONDS = 3_600;
const LONGEST_SECONDS = 2 ** 32;

/**
 * Answers `POST …/serviceaccounts/<name>/token`, a TokenRequest of Kubernetes. The ServiceAccount must be there;
 * `default` is, in every namespace.
 */
export async function answerTokenRequest(
  { request, response }: Exchange,
  target: ObjectTarget,
  { store, tokens, now }: TokenPorts,
): Promise<void> {
  if (request.method !== 'POST') throw methodNotAllowed();
  if (tokens === undefined) {
    throw new Refusal(
      404,
      'NotFound',
      'no tokens are made here: start with --authentication-oidc, and no other issuer',
      {},
    );
  }
  const { namespace = '', name = '', kind } = target;
  const account = store.get(keyAt(target));
  const isDefault = name === 'default' && store.get(namespaceKey(namespace)) !== undefined;
  if (account === undefined && !isDefault) throw notFound(kind, name);
  const body = await readBody(request);
  const { audiences, lifetimeSeconds } = asked(body.length === 0 ? {} : decodeObject(body, mediaTypeOf(request)), name);
  const chosen = audiences.length === 0 ? [tokens.audience()] : audiences;
  const { token, expiresAt } = await tokens.issue({
    subject: `system:serviceaccount:${namespace}:${name}`,
    audiences: chosen,
    lifetimeSeconds,
    claims: {
      'kubernetes.io': {
        namespace,
        serviceaccount: { name, ...(account !== undefined && { uid: account.metadata.uid }) },
      },
    },
  });
  send(response, 201, {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: timestamp(now()) },
    spec: { audiences: chosen, expirationSeconds: lifetimeSeconds, boundObjectRef: null },
    status: { token, expirationTimestamp: timestamp(expiresAt) },
  });
}

function asked(body: JsonRecord, name: string): { audiences: readonly string[]; lifetimeSeconds: number } {
  const { audiences = [], expirationSeconds = DEFAULT_SECONDS, boundObjectRef } = recordAt(body, 'spec');
  const causes: StatusCause[] = [];
  const wrong = (field: string, message: string) =>
    causes.push({ reason: 'FieldValueInvalid', message, field: `spec.${field}` });
  const isList = Array.isArray(audiences) && audiences.every((it) => typeof it === 'string' && it !== '');
  if (!isList) wrong('audiences', 'Invalid value: expected a list of texts');
  const isTime = Number.isInteger(expirationSeconds);
  if (!isTime || (expirationSeconds as number) < SHORTEST_SECONDS)
    wrong('expirationSeconds', 'Invalid value: may not specify a duration less than 10 minutes');
  else if ((expirationSeconds as number) > LONGEST_SECONDS)
    wrong('expirationSeconds', 'Invalid value: may not specify a duration larger than 2^32 seconds');
  if (boundObjectRef !== undefined && boundObjectRef !== null)
    wrong('boundObjectRef', 'Invalid value: tokens are bound to no other object here');
  if (causes.length > 0) throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, name, causes);
  return { audiences: audiences as string[], lifetimeSeconds: expirationSeconds as number };
}
