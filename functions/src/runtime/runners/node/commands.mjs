// A command that is begun for every call: the data on stdin, the reply on stdout.
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { isUtf8 } from 'node:buffer';

import { failure, markOf } from './context.mjs';
import { readBody, readEvent } from './event.mjs';
import { lastLines } from './last-lines.mjs';
import { send } from './reply.mjs';

/** A reply up to here waits for the end of the command, because only then it is known whether it failed. */
const HELD_BYTES = 256 * 1024;

// Ends the groups on its list when this process dies, however suddenly; they are not of our group.
const GUARD =
  'groups=; while read -r line; do groups=$line; done; for group in $groups; do kill -s KILL -- "-$group"; done';

/**
 * Serves a command (see CommandOrder in launcher.ts). It sees the attributes of an event as `CE_<NAME>` and, as
 * OpenFaaS' classic watchdog has it, the headers as `Http_<Name>` beside `Http_Method`, `Http_Path` and `Http_Query`.
 * The reply has the content type that `MILLRACE_CONTENT_TYPE` names; else JSON when it is an object or a list, or text,
 * or bytes. An exit with anything but 0 is a failure. Throws when there is no such command.
 */
export function serveCommands({ command, folder, environment }) {
  const [program, ...parameters] = command;
  const file = programAt(program, folder, environment.PATH);
  const running = watchedGroups();
  return async (request, response, signal) => {
    const { headers } = request;
    const isStructured = /^\s*application\/cloudevents\b/i.test(headers['content-type'] ?? '');
    const event = readEvent(request, isStructured ? await readBody(request) : Buffer.alloc(0));
    const env = { ...environment, ...eventVariables(event), ...requestVariables(request) };
    const child = spawn(file, parameters, { cwd: folder, env, detached: true, stdio: 'pipe' });
    running.add(child);
    signal.addEventListener('abort', () => end(child));
    const exit = exitOf(child);
    const errors = lastLines(child.stderr, markOf(event?.id ?? headers['x-call-id']));
    if (isStructured) feed(child.stdin, event.dataBytes);
    else pour(request, child.stdin);
    const succeed = async () => {
      const how = await exit;
      if (how !== undefined) throw failure(`${program} ${[how, ...(await errors)].join(' | ')}`);
    };
    await reply(response, child.stdout, succeed, environment.MILLRACE_CONTENT_TYPE, headers.accept);
  };
}

async function reply(response, stdout, succeed, mediaType, accept = '') {
  const isLive = [mediaType ?? '', accept].some((type) => type.startsWith('text/event-stream'));
  const chunks = stdout[Symbol.asyncIterator]();
  let length = 0;
  const held = [];
  const limit = isLive ? -1 : HELD_BYTES;
  while (length <= limit) {
    const { done, value } = await chunks.next();
    if (done) {
      await succeed();
      const body = Buffer.concat(held);
      if (length === 0) return await send(response, 204, {}, undefined);
      return await send(response, 200, { 'content-type': mediaType ?? typeOf(body) }, body);
    }
    held.push(value);
    length += value.length;
  }
  async function* all() {
    yield* held;
    yield* { [Symbol.asyncIterator]: () => chunks };
    // When it fails now, the answer breaks off.
    await succeed();
  }
  const type = mediaType ?? (isLive ? 'text/event-stream' : 'text/plain; charset=utf-8');
  await send(response, 200, { 'content-type': type }, all());
}

function typeOf(body) {
  if (!isUtf8(body)) return 'application/octet-stream';
  const text = body.toString();
  try {
    if (/^\s*[[{]/.test(text)) return JSON.parse(text) && 'application/json';
  } catch {
    // It only begins like JSON.
  }
  return 'text/plain; charset=utf-8';
}

function eventVariables(event = {}) {
  const { data: _, dataBytes: __, ...attributes } = event;
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [`CE_${name.toUpperCase()}`, String(value)]),
  );
}

function requestVariables({ headers, method, url }) {
  const [path, query = ''] = url.split(/\?(.*)/s);
  const variables = { Http_Method: method, Http_Path: path, Http_Query: query };
  for (const name in headers) {
    if (name.startsWith('ce-')) continue;
    variables[`Http_${name.replaceAll('-', '_').replaceAll(/(?<=^|_)[a-z]/g, (letter) => letter.toUpperCase())}`] =
      String(headers[name]);
  }
  return variables;
}

/** A command need not read what it is given. */
function feed(stdin, bytes) {
  stdin.on('error', () => {});
  stdin.end(bytes);
}

function pour(request, stdin) {
  stdin.on('error', () => request.unpipe(stdin).resume());
  request.pipe(stdin);
}

/** Resolves with undefined when it ended well, else with how. What it left behind goes with it. */
function exitOf(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be run: ${error.message}`));
    child.once('exit', (code, signal) => {
      end(child);
      resolve(code === 0 ? undefined : signal === null ? `exited with code ${code}` : `was ended by ${signal}`);
    });
  });
}

function end({ pid }) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}

/** The groups of the commands that run: none of them outlives us. */
function watchedGroups() {
  const guard = spawn('/bin/sh', ['-c', GUARD], { detached: true, env: {}, stdio: ['pipe', 'ignore', 'ignore'] });
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  guard.unref();
  guard.stdin.unref?.();
  const groups = new Set();
  const tell = () => guard.stdin.write(`${[...groups].join(' ')}\n`);
  return {
    add(child) {
      if (child.pid === undefined) return;
      groups.add(child.pid);
      tell();
      child.once('exit', () => {
        groups.delete(child.pid);
        tell();
      });
    },
  };
}

/** Where a program is, as a shell would look for it. */
function programAt(program, folder, path = '') {
  const places = program.includes('/') ? [folder] : path.split(delimiter);
  const found = places.map((place) => resolve(place, program)).find(isProgram);
  if (found !== undefined) return found;
  const where = program.includes('/') ? `in ${folder}, as a file that may be executed` : 'on the PATH; install it';
  throw new Error(`cannot run ${program}: it was not found ${where}`);
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
