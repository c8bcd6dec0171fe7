import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** HTTP by the byte: for requests that no client would send, and answers that no server would give. */

export interface RawResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Sends bytes as they are and resolves with what comes back until the other side ends the connection; so a request asks
 * for `connection: close`, unless an ended connection is what the test is about. Without any answer the status is 0.
 */
export async function exchange(url: string, bytes: string | Uint8Array): Promise<RawResponse> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // Who refuses a request may do so before all of it was sent.
  socket.on('error', () => {});
  socket.write(bytes);
  await new Promise((resolve) => {
    socket.on('close', resolve);
  });
  return parse(Buffer.concat(chunks).toString('latin1'));
}

/** The beginning of a POST of a binary event, to be ended by more headers and a body. */
export function postHead(path = '/default/default', ...lines: string[]): string {
  const event = ['ce-specversion: 1.0', 'ce-id: 1', 'ce-source: /raw', 'ce-type: raw'];
  return [`POST ${path} HTTP/1.1`, 'host: broker', 'connection: close', ...event, ...lines, ''].join('\r\n');
}

/** A server that is told of each request's beginning, and may do anything with its connection. */
export interface RawServer extends AsyncDisposable {
  readonly url: string;
  /** How many requests came. */
  readonly requests: number;
}

export async function startRawServer(answer: (socket: Socket, nth: number) => void): Promise<RawServer> {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      if (!chunk.toString('latin1').startsWith('POST ')) return;
      requests += 1;
      answer(socket, requests);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function parse(text: string): RawResponse {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, Math.max(end, 0)).split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(statusLine.split(' ')[1] ?? 0),
    headers: Object.fromEntries(headers),
    body: text.slice(end + 4),
  };
}
