import type { IncomingMessage, ServerResponse } from 'node:http';

import type { ObjectStore } from '../objects/store.ts';
import type { Registry } from '../registry/registry.ts';
import type { Admission } from './admission.ts';
import { decodeObject, mediaTypeOf, readBody } from './body.ts';
import { discovery, reviewPlural } from './discovery.ts';
import { systemApiEnvironment } from './environment.ts';
import type { ApiEnvironment } from './environment.ts';
import { objectRequests } from './object-requests.ts';
import type { Exchange } from './exchange.ts';
import { openApi } from './openapi.ts';
import { emptyOpenApiV2, OPENAPI_V2_TYPE } from './openapi-v2.ts';
import type { PodLogs } from './pod-logs.ts';
import { isApiPath, targetOf } from './request-path.ts';
import type { Target } from './request-path.ts';
import { send, sendError } from './responses.ts';
import { answerReview, REVIEWS } from './reviews.ts';
import { answerTokenRequest } from './service-account-tokens.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';
import { methodNotAllowed, noSuchPath } from './status.ts';
import { forbidden, forbiddenPath, isAllowed, unauthorized, wishOf } from './visitor.ts';
import type { Visitor } from './visitor.ts';

/** What an API stands on. */
export interface ApiServerOptions {
  readonly store: ObjectStore;
  /** What is served. */
  readonly registry: Registry;
  readonly admission: Admission;
  /** What Pods wrote. Default: nothing is known of it. */
  readonly logs?: PodLogs;
  /** Of this program, `0.1.0`: told beside the version of Kubernetes that the API is like. */
  readonly version: string;
  /** Is told of faults of ours, which a client sees as 500. */
  readonly failed: (error: unknown) => void;
  /** What makes tokens for ServiceAccounts. Default: nothing does. */
  readonly tokens?: ServiceAccountTokens | undefined;
  /** Default: the machine's own. */
  readonly environment?: ApiEnvironment;
}

/** A Kubernetes API. It asks nobody who they are: who mounts it says who comes. */
export interface ApiServer {
  /**
   * Answers a request, or gives false when the path is not one of a Kubernetes API. Undefined is nobody, and is refused.
   */
  take(request: IncomingMessage, response: ServerResponse, visitor: Visitor | undefined): boolean;
  /** Ends the watches. What is under way is answered. */
  close(): void;
}

/** The version of Kubernetes that clients are to take it for. */
const LIKE = { major: '1', minor: '32' };

/** An API over a store. */
export function apiServer(options: ApiServerOptions): ApiServer {
  const { registry, failed, tokens, environment = systemApiEnvironment } = options;
  const found = discovery(registry, REVIEWS);
  const documents = openApi(registry);
  const reviews = new Map(
    REVIEWS.map((review) => [`${review.group}/${review.version}/${reviewPlural(review)}`, review]),
  );
  const watches = new Set<() => void>();
  const objects = objectRequests({ ...options, environment }, watches);

  async function answer(exchange: Exchange, path: string, visitor: Visitor | undefined): Promise<void> {
    const { request, response } = exchange;
    if (visitor === undefined) {
      response.setHeader('www-authenticate', 'Bearer');
      throw unauthorized();
    }
    const target = targetOf(path, registry, new Set(reviews.keys()));
    if (target.what === 'objects') {
      const wish = wishOf(request, target.target, exchange.query);
      if (!isAllowed(visitor, wish)) throw forbidden(visitor, wish, target.target);
      if (target.target.subresource === 'token')
        return answerTokenRequest(exchange, target.target, { ...options, tokens, now: environment.now });
      return objects(exchange, target.target);
    }
    if (target.what === 'review') {
      if (request.method !== 'POST') throw methodNotAllowed();
      const review = reviews.get(`${target.group}/${target.version}/${target.resource}`)!;
      const body = decodeObject(await readBody(request), mediaTypeOf(request));
      return send(response, 201, answerReview(review, body, { visitor, kinds: registry.kinds }));
    }
    const verb = (request.method ?? '').toLowerCase();
    if (!isAllowed(visitor, { verb })) throw forbiddenPath(visitor, verb, path);
    if (target.what === 'nothing') throw noSuchPath();
    if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed();
    if (target.what === 'health') return send(response, 200, 'ok', 'text/plain; charset=utf-8');
    if (target.what === 'version') return send(response, 200, versionOf(options.version));
    if (target.what === 'openapi-v2') return send(response, 200, emptyOpenApiV2(), OPENAPI_V2_TYPE);
    if (target.what === 'openapi') return openApiAnswer(exchange, target.document);
    return discover(exchange, target);
  }

  function discover({ request, response }: Exchange, { group, version }: Extract<Target, { what: 'discovery' }>): void {
    const isRoot = version === undefined && (group === '' || group === undefined);
    const aggregated = isRoot ? aggregatedVersion(request.headers.accept) : undefined;
    if (aggregated !== undefined) {
      const type = `application/json;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`;
      return send(response, 200, found.aggregated(group === '' ? 'api' : 'apis', aggregated), type);
    }
    const body =
      group === undefined
        ? found.groups()
        : version !== undefined
          ? found.resources(group, version)
          : group === ''
            ? found.core()
            : found.group(group);
    if (body === undefined) throw noSuchPath();
    return send(response, 200, body);
  }

  function openApiAnswer({ response }: Exchange, name: string | undefined): void {
    const body = name === undefined ? documents.index() : documents.document(name);
    if (body === undefined) throw noSuchPath();
    send(response, 200, body);
  }

  return {
    take(request, response, visitor) {
      const url = request.url ?? '';
      const end = url.indexOf('?');
      const path = end < 0 ? url : url.slice(0, end);
      if (!isApiPath(path)) return false;
      const query = new URLSearchParams(end < 0 ? '' : url.slice(end));
      answer({ request, response, query }, path, visitor).catch((error: unknown) => {
        sendError(response, error, failed);
      });
      return true;
    },
    close() {
      for (const end of watches) end();
    },
  };
}

function aggregatedVersion(accept: string | undefined): string | undefined {
  for (const range of (accept ?? '').split(',')) {
    if (!range.includes('as=APIGroupDiscoveryList')) continue;
    const version = /;\s*v=(v2|v2beta1)(?:;|$)/.exec(range.trim())?.[1];
    if (version !== undefined) return version;
  }
  return undefined;
}

function versionOf(version: string): object {
  return {
    ...LIKE,
    gitVersion: `v${LIKE.major}.${LIKE.minor}.0+millrace-${version}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: 'node',
    platform: `${process.platform}/${process.arch}`,
  };
}
