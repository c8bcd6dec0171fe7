import type { ObjectStore } from '../objects/store.ts';
import { keyAt } from './addressing.ts';
import type { ApiEnvironment } from './environment.ts';
import type { Exchange } from './exchange.ts';
import type { ObjectTarget } from './request-path.ts';
import { badRequest, notFound } from './status.ts';

/** A line that a container wrote. */
export interface LoggedLine {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Without the line break. */
  readonly text: string;
}

/** What the container of a Pod wrote. */
export interface PodLog {
  /** The last of them, the oldest first. */
  lines(): readonly LoggedLine[];
  /** Calls with every line from now on. The returned function ends that. */
  subscribe(listener: (line: LoggedLine) => void): () => void;
}

/** Finds the log of a Pod; undefined when nothing is known of it. */
export type PodLogs = (namespace: string, name: string) => PodLog | undefined;

/** A reader that leaves so much unread is cut off: it must not fill the memory. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/**
 * Answers `GET …/pods/<name>/log` (Kubernetes API: PodLogOptions): the last lines and, with `follow`, what comes, until the
 * client goes or the Pod does. The returned function ends it; `ended` is called once. Throws a Refusal when there is none.
 */
export function streamLog(
  { response, query }: Exchange,
  target: ObjectTarget,
  ports: { readonly store: ObjectStore; readonly environment: ApiEnvironment; readonly logs: PodLogs | undefined },
  ended: () => void,
): () => void {
  const { store, environment, logs } = ports;
  const { kind, name = '', namespace = '' } = target;
  const log = store.get(keyAt(target)) === undefined ? undefined : logs?.(namespace, name);
  if (log === undefined) throw notFound(kind, name);
  if (query.get('previous') === 'true') throw badRequest(`the instances before ${name} are Pods of their own`);
  const tail = countOf(query, 'tailLines');
  const seconds = countOf(query, 'sinceSeconds');
  const since = seconds === undefined ? Date.parse(query.get('sinceTime') ?? '') : environment.now() - seconds * 1_000;
  const stamps = query.get('timestamps') === 'true';
  const written = ({ time, text }: LoggedLine): string =>
    `${stamps ? `${new Date(time).toISOString()} ` : ''}${text}\n`;

  const lines = log.lines().filter(({ time }) => Number.isNaN(since) || time >= since);
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  const last = tail === undefined ? lines : tail === 0 ? [] : lines.slice(-tail);
  response.write(last.map(written).join(''));
  const stops: (() => void)[] = [];
  const end = (): void => {
    for (const stop of stops.splice(0)) stop();
    response.end();
  };
  response.once('close', () => {
    end();
    ended();
  });
  if (query.get('follow') !== 'true') {
    end();
    return end;
  }
  stops.push(
    log.subscribe((line) => {
      response.write(written(line));
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
    }),
    store.watch({ group: kind.group, kind: kind.kind }, namespace, store.resourceVersion, {
      event({ type, key }) {
        if (type === 'DELETED' && key.name === name) end();
      },
    }),
  );
  return end;
}

function countOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const count = Number(text);
  if (text !== '' && Number.isInteger(count) && count >= 0) return count;
  throw badRequest(`expected ${name} to be an integer of at least 0, got ${JSON.stringify(text)}`);
}
