import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { Agent } from 'undici';

import type { WebAnswer, WebCall } from '@millrace/event/web';

import type { Directory } from './directory.ts';
import { problem } from './problem.ts';
import { refuseRequest } from './refusal.ts';
import { relay } from './relay.ts';

export interface ProxyOptions {
  readonly directory: Directory;
  /** The data port: what is for the cluster is answered there, by its `Host`. */
  readonly dataPort: Server;
  /** Addresses that stand for others, as `host:port`. */
  readonly aliases: Readonly<Record<string, string>>;
}

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;
const OWN_NAMES = new Set(['127.0.0.1', 'localhost', '[::1]', '::1', '0.0.0.0']);
const TLS_PORT = '443';
const MAX_HEADER_BYTES = 32 * 1024;

/**
 * A forward proxy (RFC 9110 §3.7) for code that only knows the names of a cluster. Those lead to the functions and
 * brokers here; every other host is asked as if there were no proxy. It listens on loopback, for loopback.
 */
export class ForwardProxy {
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  readonly #tunnels = new Set<Duplex>();
  #url: string | undefined;
  #begun: Promise<void> | undefined;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#server = createServer({ requestTimeout: 0, maxHeaderSize: MAX_HEADER_BYTES });
    this.#server.on('request', (request, response) => this.#forward(request, response));
    this.#server.on('connect', (request, socket, head) => this.#tunnel(request, socket as Socket, head));
  }

  /** `http://127.0.0.1:<port>`, once it listens. */
  get url(): string | undefined {
    return this.#url;
  }

  /** What {@link begin} gave, if it was called. */
  get begun(): Promise<void> | undefined {
    return this.#begun;
  }

  /** Resolves when it listens, on a free port. Idempotent. */
  begin(): Promise<void> {
    this.#begun ??= new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => {
        this.#url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
        resolve();
      });
    });
    return this.#begun;
  }

  /** Breaks off what is under way. Idempotent. */
  async close(): Promise<void> {
    for (const tunnel of this.#tunnels) tunnel.destroy();
    this.#server.closeAllConnections();
    await Promise.all([this.#agent.destroy(), new Promise((resolve) => this.#server.close(resolve))]);
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => {});
    request.on('error', () => {});
    const refuse = (status: number, detail: string) => refuseRequest(request, response, problem(status, detail));
    if (!LOOPBACK.test(request.socket.remoteAddress ?? '')) return refuse(403, 'this proxy is for this machine alone');
    const url = /^http:\/\//i.test(request.url ?? '') ? URL.parse(request.url!) : null;
    if (url === null) {
      return refuse(400, 'this is a forward proxy: expected GET http://host/path, or CONNECT host:port');
    }
    if (this.#isSelf(url.hostname, url.port)) return refuse(508, 'the proxy was asked for itself');
    if (this.#options.directory.host(url.host) !== undefined) {
      // RFC 9112 §3.2.2: what the request line says counts, whatever the Host says.
      request.url = url.pathname + url.search;
      request.headers.host = url.host;
      this.#options.dataPort.emit('request', request, response);
      return;
    }
    const stand = this.#options.aliases[`${url.hostname}:${url.port === '' ? '80' : url.port}`];
    const origin = stand === undefined ? url.origin : `http://${stand}`;
    void relay(request, response, {
      path: url.pathname + url.search,
      send: (call) => this.#send(origin, call),
      failed: (error) => refuse(502, `${url.host} did not answer (${codeOf(error)})`),
    });
  }

  async #send(origin: string, { method, path, rawHeaders, body, signal }: WebCall): Promise<WebAnswer> {
    const answer = await this.#agent.request({
      origin,
      path,
      method,
      headers: rawHeaders as string[],
      body: body ?? null,
      signal,
      responseHeaders: 'raw',
    });
    return { status: answer.statusCode, rawHeaders: answer.headers as unknown as string[], body: answer.body };
  }

  #tunnel(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on('error', () => {});
    const { hostname, port } = URL.parse(`tunnel://${request.url ?? ''}`) ?? { hostname: '', port: '' };
    if (!LOOPBACK.test(socket.remoteAddress ?? '')) return refuseTunnel(socket, '403 Forbidden', 'not for you');
    if (hostname === '' || port === '') {
      return refuseTunnel(socket, '400 Bad Request', 'expected CONNECT host:port');
    }
    if (this.#isSelf(hostname, port))
      return refuseTunnel(socket, '508 Loop Detected', 'the proxy was asked for itself');
    if (this.#options.directory.host(hostname) !== undefined) {
      if (port === TLS_PORT) {
        const detail = `${hostname} speaks plain HTTP here: use http://${hostname}`;
        return refuseTunnel(socket, '502 Bad Gateway', detail);
      }
      // Whoever tunnels plain HTTP, too, speaks with the data port from here on.
      socket.write(ESTABLISHED);
      if (head.byteLength > 0) socket.unshift(head);
      // A port over TLS takes a connection for a plain one when its handshake is over.
      const { dataPort } = this.#options;
      dataPort.emit('setSecureContext' in dataPort ? 'secureConnection' : 'connection', socket);
      return;
    }
    const stand = this.#options.aliases[`${hostname}:${port}`];
    const to = stand === undefined ? { hostname, port } : new URL(`tunnel://${stand}`);
    const other = connect(Number(to.port), to.hostname.replace(/^\[|\]$/g, ''));
    this.#tunnels.add(socket);
    let isThrough = false;
    other.once('connect', () => {
      isThrough = true;
      socket.write(ESTABLISHED);
      if (head.byteLength > 0) other.write(head);
      socket.pipe(other).pipe(socket);
    });
    other.on('error', (error) => {
      if (isThrough) socket.destroy();
      else refuseTunnel(socket, '502 Bad Gateway', `${hostname}:${port} cannot be reached (${codeOf(error)})`);
    });
    other.once('close', () => socket.destroySoon());
    socket.once('close', () => {
      this.#tunnels.delete(socket);
      other.destroy();
    });
  }

  #isSelf(hostname: string, port: string): boolean {
    return OWN_NAMES.has(hostname.toLowerCase()) && this.#url === `http://127.0.0.1:${port}`;
  }
}

const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n';

function refuseTunnel(socket: Socket, status: string, detail: string): void {
  const [code = ''] = status.split(' ');
  const body = JSON.stringify({ type: 'about:blank', status: Number(code), title: status.slice(4), detail });
  const headers = `Content-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}`;
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\nConnection: close\r\n\r\n${body}`);
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
