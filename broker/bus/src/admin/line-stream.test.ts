import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { openLines } from './line-stream.ts';

interface Line {
  readonly kind: string;
  readonly count?: number;
}

test(
  'a reader that is too slow misses lines and is told how many; what is kept for it has a limit',
  { timeout: 20_000 },
  async () => {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    try {
      const answered = once(server, 'request') as Promise<[unknown, ServerResponse]>;
      const asked = get({ port: (server.address() as AddressInfo).port, agent: false });
      const [, response] = await answered;
      const { write } = openLines(response, '{"kind":"first"}\n');
      const [reader] = (await once(asked, 'response')) as [IncomingMessage];

      const text = 'x'.repeat(64 * 1024);
      // 64 MiB: more than the sockets of any system take.
      const written = 1_024;
      for (let count = 0; count < written; count += 1) write({ kind: 'line', text });
      assert.ok(response.writableLength < 2 * 1024 * 1024, String(response.writableLength));

      let got = '';
      const lines: Line[] = [];
      for await (const chunk of reader.setEncoding('utf8')) {
        const parts = (got + String(chunk)).split('\n');
        got = parts.pop()!;
        lines.push(...parts.map((it) => JSON.parse(it) as Line));
        // Nothing more is written: it is told all the same.
        if (lines.at(-1)?.kind === 'skipped') break;
      }
      const passed = lines.filter((it) => it.kind === 'line').length;
      assert.equal(lines[0]!.kind, 'first');
      assert.ok(passed > 0 && passed < written, String(passed));
      assert.equal(passed + lines.at(-1)!.count!, written);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  },
);
