import type { FastifyInstance } from 'fastify';

/**
 * Keeps web pages out. A page in the user's browser can send requests to loopback, under its own `Origin`; and a name
 * that resolves to loopback (DNS rebinding) brings its own `Host`. Commands send neither a foreign one nor the other.
 */
export function guard(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    const { host = '', origin } = request.headers;
    if (!isOurs(host)) {
      await reply.code(421).send({ error: `the host "${host}" is not this one: use localhost or an address` });
    } else if (origin !== undefined && origin !== `http://${host}`) {
      await reply.code(403).send({ error: `pages of ${origin} may not use this port` });
    }
  });
}

/** An address is never somebody else's name; `localhost` never leaves the machine. */
function isOurs(host: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    /^\d+\.\d+\.\d+\.\d+$/.test(name) ||
    /^\[[\da-f:.]+\]$/i.test(name)
  );
}
