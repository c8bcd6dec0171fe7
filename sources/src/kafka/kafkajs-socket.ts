import { connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import type { ISocketFactory } from 'kafkajs';

/** Makes the sockets of a client, and can end them all. */
export interface AliasedSockets {
  readonly create: ISocketFactory;
  /** Ends all sockets; from now on there are no new ones. What waits for them fails at once. */
  readonly destroy: () => void;
}

/** Sockets that go to the alias of an address where it has one. TLS still names, and checks, the original host. */
export function aliasedSockets(aliases: Readonly<Record<string, string>> = {}): AliasedSockets {
  const open = new Set<Socket>();
  let destroyed = false;
  return {
    create({ host, port, ssl, onConnect }) {
      if (destroyed) throw new Error('the client is being closed');
      const target = splitAddress(aliases[`${host}:${port}`]) ?? { host, port };
      const named = isIP(host) === 0 ? { servername: host } : {};
      // oxlint-disable-next-line typescript/no-unnecessary-condition -- kafkajs passes undefined for no TLS
      const socket = ssl ? connectTls({ ...target, ...named, ...ssl }, onConnect) : connect(target, onConnect);
      socket.setKeepAlive(true, 60_000);
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      return socket;
    },
    destroy() {
      destroyed = true;
      for (const socket of open) socket.destroy(new Error('the client is being closed'));
    },
  };
}

function splitAddress(address: string | undefined): { host: string; port: number } | undefined {
  if (address === undefined) return undefined;
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(colon + 1)) };
}
