// Serves one file of an author's over HTTP on a unix domain socket: CloudEvents in binary mode in, an event or a
// plain body out. It stands alone (no imports of ours), so that it can run wherever the author's code runs.
//
//   node node-runner.mjs
//
// File descriptor 3 brings one line of JSON, the order (see RunnerOrder in launcher.ts), and hears one line:
// {"ready":true}, or {"error":"…"} when the file cannot be loaded. Until the order comes, nothing of an author's runs.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';

// Node's own bound of 16 KiB is too small for events with long extensions.
const MAX_HEADER_BYTES = 256 * 1024;
const FAILURE = Symbol('failure');

const control = new Socket({ fd: 3 });
const { file, socket, home, environment, source } = await readOrder();
for (const name in process.env) delete process.env[name];
Object.assign(process.env, environment);
process.chdir(home);

try {
  const handler = await load(file);
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 0 }, (request, response) => {
    void serve(handler, request, response);
  });
  // Closing idle connections is the caller's business: if both sides did, calls would be lost in between.
  server.keepAliveTimeout = 0;
  server.listen(socket, () => tell({ ready: true }));
} catch (error) {
  console.error(error);
  tell({ error: describe(error) }, () => process.exit(1));
}

// We are asked to go when no call is left, but what was printed may still be on its way.
process.on('SIGTERM', () => {
  const authorDecides = process.listenerCount('SIGTERM') > 1;
  if (!authorDecides) process.stdout.write('', () => process.stderr.write('', () => process.exit(0)));
});

async function readOrder() {
  let text = '';
  for await (const chunk of control.iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.endsWith('\n')) return JSON.parse(text);
  }
  // Nobody needs us any more.
  return process.exit(0);
}

function tell(message, then = () => {}) {
  control.end(`${JSON.stringify(message)}\n`, then);
}

async function load(file) {
  const module = await import(pathToFileURL(file).href);
  // A CommonJS file that was compiled from an ES module has its default one floor deeper.
  const handler = typeof module.default === 'function' ? module.default : module.default?.default;
  if (typeof handler === 'function') return handler;
  const found = Object.keys(module).join(', ') || 'nothing';
  throw new TypeError(`${file}: expected a function (event, context) as the default export, found exports: ${found}`);
}

async function serve(handler, request, response) {
  const aborter = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) aborter.abort(new Error('nobody waits for this call any more'));
  });
  try {
    const event = readEvent(request.headers, await readBody(request));
    const result = await handler(event, contextOf(request.headers, event, aborter.signal));
    const reply = writeReply(result);
    response.writeHead(reply.body === undefined ? 204 : 200, reply.headers).end(reply.body);
  } catch (error) {
    if (!response.destroyed) fail(response, error);
  }
}

function fail(response, error) {
  const failure = error?.[FAILURE];
  // What the author foresaw is one line; what nobody foresaw comes with its stack.
  console.error(failure ? describe(error) : error);
  const headers = { 'content-type': 'application/json' };
  if (failure?.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(failure.retryAfterMs / 1000));
  const body = JSON.stringify({ error: error?.name ?? 'Error', message: error?.message ?? inspect(error) });
  response.writeHead(failure?.status ?? 500, headers).end(body);
}

function describe(error) {
  return error instanceof Error ? `${error.name}: ${error.message}` : inspect(error);
}

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

// ---------------------------------------------------------------- the event, as an author gets it

function readEvent(headers, body) {
  const event = {};
  for (const name in headers) {
    if (name.startsWith('ce-')) event[name.slice(3)] = percentDecode(headers[name]);
  }
  if (headers['content-type'] !== undefined) event.datacontenttype = headers['content-type'];
  if (body.length > 0) {
    event.data = readData(event.datacontenttype, body);
    event.dataBytes = body;
  }
  return event;
}

function readData(mediaType = '', body) {
  if (isJson(mediaType)) {
    try {
      return JSON.parse(body.toString());
    } catch (cause) {
      throw failure(`data: expected JSON, as its content type ${mediaType} says: ${cause.message}`, { status: 400 });
    }
  }
  return /^text\//i.test(mediaType) ? body.toString() : body;
}

function isJson(mediaType) {
  return /^\s*(?:application\/json|text\/json|[^;\s]+\+json)\s*(?:;|$)/i.test(mediaType);
}

function contextOf(headers, event, signal) {
  return {
    signal,
    attempt: Number(headers['x-millrace-attempt'] ?? 1),
    deadline: Number(headers['x-millrace-deadline'] ?? Infinity),
    logger: loggerFor(event.id),
    failure,
  };
}

/** An error that answers with a status of the author's choice; see FunctionContext.failure in author.ts. */
function failure(message, { status = 500, retryAfterMs, cause } = {}) {
  const error = new Error(message, { cause });
  error.name = 'Failure';
  error[FAILURE] = { status, retryAfterMs };
  return error;
}

function loggerFor(eventId) {
  // The two control characters tell the reader of our output which event a line belongs to.
  const mark = eventId === undefined ? '' : `\u001e${eventId}\u001f`;
  const write = (stream, message, fields) => {
    const text = typeof message === 'string' ? message : inspect(message);
    const line = fields === undefined ? text : `${text} ${JSON.stringify(fields)}`;
    stream.write(`${line.replaceAll(/^/gm, mark)}\n`);
  };
  return {
    debug: (message, fields) => write(process.stdout, message, fields),
    info: (message, fields) => write(process.stdout, message, fields),
    warn: (message, fields) => write(process.stderr, message, fields),
    error: (message, fields) => write(process.stderr, message, fields),
  };
}

// ---------------------------------------------------------------- the reply, as an author gives it

function writeReply(value) {
  if (value === undefined || value === null) return { headers: {}, body: undefined };
  if (typeof value === 'object' && typeof value.type === 'string') return writeEvent(value);
  const { mediaType, body } = writeData(value);
  return { headers: { 'content-type': mediaType }, body };
}

function writeEvent(value) {
  // An event of the cloudevents SDK says through toJSON what it is made of.
  const {
    data,
    dataBytes: _,
    data_base64: base64,
    ...given
  } = typeof value.toJSON === 'function' ? value.toJSON() : value;
  const attributes = { specversion: '1.0', id: randomUUID(), source, time: new Date().toISOString(), ...given };
  const content = base64 === undefined ? data : Buffer.from(base64, 'base64');
  const { mediaType, body } = writeData(content, attributes.datacontenttype);
  const headers = mediaType === undefined ? {} : { 'content-type': mediaType };
  for (const name in attributes) {
    const attribute = attributes[name];
    if (attribute === undefined || attribute === null || name === 'datacontenttype') continue;
    headers[`ce-${name}`] = percentEncode(attributeText(name, attribute));
  }
  return { headers, body: body ?? Buffer.alloc(0) };
}

function attributeText(name, value) {
  if (!/^[a-z0-9]+$/.test(name)) throw new TypeError(`reply.${name}: expected an attribute name of a-z and 0-9`);
  if (value instanceof Date) return value.toISOString();
  if (['string', 'number', 'boolean'].includes(typeof value)) return String(value);
  throw new TypeError(`reply.${name}: expected a string, a number or a boolean, got ${inspect(value, { depth: 0 })}`);
}

/** Bytes go as they are; under a JSON content type every other value is JSON, as it was on the way in. */
function writeData(value, mediaType) {
  if (value === undefined) return { mediaType, body: undefined };
  if (value instanceof Uint8Array) return { mediaType: mediaType ?? 'application/octet-stream', body: value };
  if (typeof value === 'string' && !isJson(mediaType ?? '')) {
    return { mediaType: mediaType ?? 'text/plain; charset=utf-8', body: value };
  }
  const body = JSON.stringify(value);
  if (body === undefined) throw new TypeError(`reply: expected something that JSON can say, got a ${typeof value}`);
  return { mediaType: mediaType ?? 'application/json', body };
}

// ---------------------------------------------------------------- CloudEvents HTTP binding §3.1.3.2

function percentEncode(text) {
  return text
    .toWellFormed()
    .replaceAll(/[^\u0021\u0023\u0024\u0026-\u007e]/gu, (character) =>
      [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
    );
}

function percentDecode(header) {
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}
