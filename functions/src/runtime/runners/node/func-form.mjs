// handle(context, event), as functions of Knative's `func` have it: the contract of faas-js-runtime 2.
import { randomUUID } from 'node:crypto';

import { contextOf, failure } from './context.mjs';
import { readBody, readData, readEvent } from './event.mjs';
import { answer, isResponse, isStream, send, writeData, writeEvent } from './reply.mjs';

/** Serves a function of `func`; see FuncHandler in author.ts. Its `init` has ended when this resolves. */
export async function serveFunc(func, { source }) {
  await func.init?.();
  if (func.shutdown !== undefined) shutDownWith(func);
  const checks = new Map(
    ['liveness', 'readiness'].map((name) => [func[name]?.path ?? `/health/${name}`, func[name] ?? (() => 'OK')]),
  );
  return async (request, response, signal) => {
    const check = request.method === 'GET' ? checks.get(request.url) : undefined;
    if (check !== undefined) return await answer(response, await check(), source);
    const body = await readBody(request);
    const event = readEvent(request, body);
    const content = event === undefined ? contentOf(request, body) : event.data;
    const context = funcContext(request, signal, { event, content, source });
    const result = await handled(() => func.handle(context, event ?? content));
    await answerFunc(response, result, source);
  };
}

function shutDownWith(func) {
  const shutDown = async () => {
    try {
      await func.shutdown();
    } catch (error) {
      console.error(error);
    }
    process.exit(0);
  };
  process.once('SIGTERM', () => void shutDown());
}

function contentOf({ headers }, body) {
  const mediaType = headers['content-type'];
  const isForm = /^\s*application\/x-www-form-urlencoded\b/i.test(mediaType ?? '');
  return isForm ? Object.fromEntries(new URLSearchParams(body.toString())) : readData(mediaType, body);
}

function funcContext(request, signal, { event, content, source }) {
  const { logger, ...context } = contextOf(request, signal, event?.id ?? request.headers['x-call-id']);
  const { method, headers, httpVersion, httpVersionMajor, httpVersionMinor } = request;
  const query = Object.fromEntries(new URL(request.url, 'http://localhost').searchParams);
  const log = { ...logger, trace: logger.debug, fatal: logger.error };
  const cloudEventResponse = (data) => eventBuilder(data, source);
  const asked = {
    req: request,
    method,
    headers,
    query,
    body: content,
    httpVersion,
    httpVersionMajor,
    httpVersionMinor,
  };
  return { ...context, ...asked, log, cloudevent: event, cloudEventResponse };
}

function eventBuilder(data, source) {
  const event = { specversion: '1.0', id: randomUUID(), source, type: 'dev.millrace.function.reply', data };
  const builder = { response: () => event };
  for (const name of ['id', 'source', 'type', 'subject']) {
    builder[name] = (value) => {
      event[name] = value;
      return builder;
    };
  }
  builder.version = (value) => {
    event.specversion = value;
    return builder;
  };
  return builder;
}

/** A numeric `code` of an error is the status of the answer. */
async function handled(call) {
  try {
    return await call();
  } catch (error) {
    const isStatus = Number.isInteger(error?.code) && error.code >= 400 && error.code < 600;
    throw isStatus ? failure(error.message, { status: error.code, cause: error }) : error;
  }
}

/** An event (it has a `specversion`), or a status, headers and a body, or data. */
async function answerFunc(response, result, source) {
  if (typeof result !== 'object' || result === null || isResponse(result))
    return await answer(response, result || undefined, source);
  if (typeof result.specversion === 'string') {
    const { headers, body } = writeEvent(result, source);
    return await send(response, 200, headers, body ?? Buffer.alloc(0));
  }
  const { statusCode = 200, headers = {}, body } = result;
  if (result.statusCode === undefined && result.headers === undefined && body === undefined) {
    if (isStream(result)) return await answer(response, result, source);
    const { mediaType, body: data } = writeData(result);
    return await send(response, 200, { 'content-type': mediaType }, data);
  }
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  if (isStream(body)) return await send(response, statusCode, given, body);
  const written = writeData(body ?? undefined, given['content-type']);
  const type = written.mediaType === undefined ? {} : { 'content-type': written.mediaType };
  await send(response, statusCode, { ...type, ...given }, written.body);
}
