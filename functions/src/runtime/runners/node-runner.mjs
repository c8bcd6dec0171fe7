// Serves what an order says over HTTP on a unix domain socket: one file of an author's (node/load.mjs) or a command
// that is begun for every call (node/commands.mjs). It and what is beside it stand alone (no imports of ours), so that
// they can run wherever the author's code runs.
//
//   node node-runner.mjs
//
// File descriptor 3 brings lines of JSON: maybe {"preload":{…}} (see Preload in preload.ts), answered by
// {"preloaded":{…}}; then the order (see RunnerOrder in launcher.ts). It hears {"taken":true} before anything of an
// author's runs, then {"ready":true}, or {"error":"…"} when the code cannot be loaded.
import { createServer } from 'node:http';
import { Socket } from 'node:net';

import { failureIn } from './node/context.mjs';
import { describe, load } from './node/load.mjs';
import { fail } from './node/reply.mjs';

// Node's own bound of 16 KiB is too small for events with long extensions.
const MAX_HEADER_BYTES = 256 * 1024;

const control = new Socket({ fd: 3 }).setEncoding('utf8');
let isTold = false;

// We are asked to go when no call is left, but what was printed may still be on its way.
process.on('SIGTERM', () => {
  const authorDecides = process.listenerCount('SIGTERM') > 1;
  if (!authorDecides) process.stdout.write('', () => process.stderr.write('', () => process.exit(0)));
});
// As Node does, but in the last line is what happened: that one is remembered.
process.on('uncaughtException', (error, origin) => {
  if (process.listenerCount('uncaughtException') > 1) return;
  console.error(error);
  const what = origin === 'unhandledRejection' ? 'a promise was rejected and nobody took it' : 'nobody caught';
  give(`${what}: ${describe(error)}`);
});

const order = await readOrder();
control.write('{"taken":true}\n');
for (const name in process.env) delete process.env[name];
Object.assign(process.env, order.environment);
process.chdir(order.home);
try {
  const serve = order.command === undefined ? await load(order) : await serverOfCommands();
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 0 }, (request, response) => {
    void answerCall(serve, request, response);
  });
  // Closing idle connections is the caller's business: if both sides did, calls would be lost in between.
  server.keepAliveTimeout = 0;
  server.listen(order.socket, () => tell({ ready: true }));
} catch (error) {
  tell({ error: error.message }, () => process.exit(1));
}

async function serverOfCommands() {
  const { serveCommands } = await import('./node/commands.mjs');
  return serveCommands(order);
}

async function answerCall(serve, request, response) {
  const aborter = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) aborter.abort(new Error('nobody waits for this call any more'));
  });
  try {
    await serve(request, response, aborter.signal);
  } catch (error) {
    // Nobody hears of what was given up.
    if (response.destroyed && aborter.signal.aborted) return;
    // What the author foresaw is one line; what nobody foresaw comes with its stack.
    console.error(failureIn(error) ? describe(error) : error);
    fail(response, error);
  }
}

async function readOrder() {
  for await (const message of messages()) {
    if (message.preload === undefined) return message;
    await prepare(message.preload);
  }
  // Nobody needs us any more.
  return process.exit(0);
}

async function* messages() {
  let text = '';
  for await (const chunk of control.iterator({ destroyOnReturn: false })) {
    const lines = (text + chunk).split('\n');
    text = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}

async function prepare(plan) {
  const { preload } = await import('./node/preload.mjs');
  const preloaded = await preload(plan).catch(() => null);
  control.write(`${JSON.stringify({ preloaded })}\n`);
}

function tell(message, then = () => {}) {
  isTold = true;
  control.end(`${JSON.stringify(message)}\n`, then);
}

/** Ends, and says why. */
function give(reason) {
  console.error(reason);
  if (isTold) process.exit(1);
  tell({ error: reason }, () => process.exit(1));
}
