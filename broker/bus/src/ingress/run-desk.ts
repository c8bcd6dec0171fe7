import type { IncomingMessage, ServerResponse } from 'node:http';

import type { CloudEvent } from '@millrace/event/event';
import { encodeBinary } from '@millrace/event/http';

import type { Entry } from '../log/log.ts';
import { runLocation, runView } from '../replies/run-view.ts';
import type { Runs } from '../replies/runs.ts';
import type { Gatekeeper } from '../security/gatekeeper.ts';
import { problem, problemOf } from './problem.ts';
import { refuseRequest, sendJson } from './refusal.ts';
import { WAIT_EXPECTED, waitAsked } from './wait.ts';

/** A run that somebody asks for. */
export interface AskedRun {
  /** Of the event that it began with. */
  readonly id: string;
  readonly isResult: boolean;
  readonly query: URLSearchParams;
}

const APPLIED = { 'preference-applied': 'wait' };
const PATH = /^\/runs\/([^/]+)(\/result)?$/;

/** Reads `/runs/<id>[/result]`; undefined for any other path. */
export function readRunPath(path: string, url: string): AskedRun | undefined {
  const found = PATH.exec(path);
  if (found === null) return undefined;
  const query = url.indexOf('?');
  return {
    id: decoded(found[1]!),
    isResult: found[2] !== undefined,
    query: new URLSearchParams(query < 0 ? '' : url.slice(query)),
  };
}

/** Answers with what came of an event that was accepted: at once to its sender who waits, later to whoever asks. */
export class RunDesk {
  readonly #runs: Runs;
  readonly #gatekeeper: Gatekeeper | undefined;

  /** With a gatekeeper, who may not send an event may not see what became of it either. */
  constructor(runs: Runs, gatekeeper?: Gatekeeper) {
    this.#runs = runs;
    this.#gatekeeper = gatekeeper;
  }

  /** Holds the request that brought an entry until its final reply: 200 with that, or 202 with where it is to be had. */
  hold(request: IncomingMessage, response: ServerResponse, root: Entry, waitMs: number): void {
    answering(request, response, async (gone) => {
      const end = await this.#runs.follow(root, gone, waitMs);
      if (response.destroyed) return;
      const headers = { ...APPLIED, 'millrace-position': String(root.position) };
      if (end.outcome === 'replied') {
        sendEvent(request, response, end.entry.event, headers);
        return;
      }
      const { id, status, location } = runView(root, end);
      sendJson(request, response, 202, { id, status, location }, { ...headers, location });
    });
  }

  /** GET tells how a run is, or its final reply. */
  answer(request: IncomingMessage, response: ServerResponse, { id, isResult, query }: AskedRun): void {
    answering(request, response, async (gone) => {
      const refuse = (status: number, detail: string, headers?: Record<string, string>) =>
        refuseRequest(request, response, problem(status, detail), headers);
      const { method = '' } = request;
      if (method !== 'GET' && method !== 'HEAD')
        return refuse(405, `${method} is not for runs`, { allow: 'GET, HEAD' });
      const root = this.#runs.find(id);
      if (root !== undefined && this.#gatekeeper !== undefined) {
        const turned = await this.#gatekeeper.checkTopic(root.topic, request.rawHeaders, root.event);
        const challenge = turned?.status === 401 ? { 'www-authenticate': 'Bearer' } : undefined;
        if (turned !== undefined) return refuse(turned.status, turned.detail, challenge);
      }
      if (root === undefined) {
        return refuse(
          404,
          `there is no run ${id} of an event that was sent with Prefer: wait, or it is no longer kept`,
        );
      }
      const waitMs = waitAsked(query.get('wait'));
      if (waitMs === undefined) return refuse(400, WAIT_EXPECTED);
      const end = await this.#runs.follow(root, gone, waitMs);
      if (response.destroyed) return;
      if (!isResult) return sendJson(request, response, 200, runView(root, end));
      switch (end.outcome) {
        case 'open':
          return sendJson(request, response, 202, runView(root, end), {
            'retry-after': '1',
            location: runLocation(id),
          });
        case 'silent':
          response.writeHead(204).end();
          return;
        case 'failed':
          return refuse(502, end.reason);
        case 'replied':
          return sendEvent(request, response, end.entry.event);
      }
    });
  }
}

function answering(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (gone: AbortSignal) => Promise<void>,
): void {
  // Nothing that a caller sends or stops sending may be anybody else's trouble.
  response.on('error', () => {});
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  response.once('close', () => gone.abort());
  answer(gone.signal).catch((error: unknown) => {
    if (response.headersSent || response.destroyed) return;
    refuseRequest(request, response, problemOf(error, { contentType: undefined, maxEventBytes: 0 }));
  });
}

/** An event in binary mode. */
function sendEvent(
  request: IncomingMessage,
  response: ServerResponse,
  event: CloudEvent,
  more: Readonly<Record<string, string>> = {},
): void {
  const { headers, body = new Uint8Array() } = encodeBinary(event);
  response.writeHead(200, { ...headers, ...more, 'content-length': String(body.byteLength) });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
