import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Pool } from 'undici';

import type { PostRequest } from './load.ts';

type Message = { kind: 'start' } | ({ kind: 'post' } & PostRequest) | { kind: 'delivered'; count: number };

let got = 0;
let awaited: { count: number; resolve: () => void } | undefined;

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.writeHead(202).end();
    got += 1;
    if (awaited !== undefined && got >= awaited.count) {
      const { resolve } = awaited;
      awaited = undefined;
      got = 0;
      resolve();
    }
  });
});

process.on('message', (message: Message) => {
  void answer(message).then((result) => process.send!(result));
});
process.on('disconnect', () => process.exit(0));

async function answer(message: Message): Promise<unknown> {
  switch (message.kind) {
    case 'start':
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    case 'post':
      return post(message);
    case 'delivered':
      await new Promise<void>((resolve) => {
        if (got >= message.count) {
          got = 0;
          resolve();
        } else {
          awaited = { count: message.count, resolve };
        }
      });
      return 'delivered';
  }
}

async function post({ url, count, connections, mode, size }: PostRequest): Promise<number> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const data = JSON.stringify({ text: 'x'.repeat(size - 11) });
  let next = 0;
  let accepted = 0;
  const send = async () => {
    while (next < count) {
      next += 1;
      const { headers, body } = requestOf(mode, next, data);
      const response = await pool.request({ path: pathname, method: 'POST', headers, body });
      await response.body.dump();
      if (response.statusCode === 202) accepted += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, send));
  await pool.close();
  return accepted;
}

function requestOf(mode: PostRequest['mode'], id: number, data: string) {
  if (mode === 'structured') {
    const body = `{"specversion":"1.0","id":"${id}","source":"/bench","type":"com.example.bench","datacontenttype":"application/json","data":${data}}`;
    return { headers: { 'content-type': 'application/cloudevents+json' }, body };
  }
  const headers = {
    'ce-specversion': '1.0',
    'ce-id': String(id),
    'ce-source': '/bench',
    'ce-type': 'com.example.bench',
    'content-type': 'application/json',
  };
  return { headers, body: data };
}
