import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import type { CloudEvent } from '@millrace/event/event';

import type { About } from '../client.ts';
import type { Message, Mode, SaidEvent } from '../compose.ts';
import type { Answer } from '../http.ts';
import { addAdmin, addOutput, several, wholeNumber } from '../options.ts';
import type { AdminOption, OutputOption } from '../options.ts';
import { programName } from '../program-name.ts';

interface SendOptions extends AdminOption, OutputOption, Partial<SaidEvent> {
  readonly broker: string;
  readonly namespace: string;
  readonly url?: string;
  readonly mode?: Mode;
  readonly file?: string;
  readonly count: number;
  /** In seconds. */
  readonly wait?: number;
  readonly as?: string;
}

/** What one message came to. */
interface Sent {
  readonly status: number;
  /** In the log; undefined where what took the event is no broker of ours. */
  readonly position: number | undefined;
  readonly id: string | undefined;
  /** Where a reply was waited for: how what followed from the event is, and the reply where there is one. */
  readonly run?: 'running' | 'succeeded' | 'failed' | undefined;
  readonly reply?: CloudEvent | undefined;
}

const EVENT_OPTIONS = ['type', 'source', 'subject', 'id', 'time', 'data', 'contentType', 'ext'];

/** `millrace send`: an event to a broker. */
export function register(program: Command): void {
  const command = program
    .command('send')
    .description('send an event to a broker')
    .option('--broker <name>', 'the broker', 'default')
    .option('-n, --namespace <namespace>', 'the namespace of the broker', 'default')
    .option('--as <serviceaccount>', 'who sends, where the broker asks: one of the namespace, such as default')
    .option('--url <url>', 'the data port, or a whole address to post to (default: what the admin port says)')
    .option('--type <type>', 'type of the event')
    .option('--source <source>', 'source of the event (default: "millrace-cli")')
    .option('--subject <subject>', 'subject of the event')
    .option('--id <id>', 'id of the event (default: a random one)')
    .option('--time <time>', 'time of the event, RFC 3339')
    .option('--data <data>', 'data of the event: the text itself, @file, or - for stdin')
    .option(
      '--content-type <type>',
      'media type of the data (default: application/json if it is JSON, else text/plain)',
    )
    .option('--ext <name=value>', 'an extension attribute; may be given several times', several)
    .addOption(new Option('--mode <mode>', 'how it travels (default: "binary")').choices(['binary', 'structured']))
    .addOption(
      new Option('--file <path>', 'an event in the JSON format, or a batch of them; - for stdin').conflicts(
        EVENT_OPTIONS,
      ),
    )
    .option('--count <number>', 'send so many, each with an id of its own', wholeNumber(1), 1)
    .option('--wait <duration>', 'print the reply to the event, if it comes within so long: 30s, 5m', seconds);
  addOutput(addAdmin(command)).action(send);
}

const MOST_SECONDS = 600;
/** How much later than asked for an answer may come. */
const GRACE_MS = 60_000;

/** Seconds of `30s`, `5m` or a plain number. */
function seconds(text: string): number {
  const [, number, unit] = /^(\d{1,6})(s|m)?$/.exec(text) ?? [];
  const value = number === undefined ? NaN : Number(number) * (unit === 'm' ? 60 : 1);
  if (value <= MOST_SECONDS) return value;
  throw new InvalidArgumentError(`Expected whole seconds or minutes such as 30s or 5m, at most ${MOST_SECONDS / 60}m.`);
}

/** Requests at once: enough for the log to write several events with one sync. */
const AT_ONCE = 16;

async function send(options: SendOptions): Promise<void> {
  const { print, show, tell } = await import('../output.ts');
  const { CommandFailure } = await import('../exit-codes.ts');
  const { output, count, wait } = options;
  const messages = await messagesOf(options);
  const target = await targetOf(options);
  const sent: Sent[] = [];
  let failures: PromiseRejectedResult[] = [];
  for (let from = 0; from < messages.length && failures.length === 0; from += AT_ONCE) {
    const results = await Promise.allSettled(
      messages.slice(from, from + AT_ONCE).map((it) => postMessage(target, it, wait)),
    );
    const done = results.filter((it) => it.status === 'fulfilled').map((it) => it.value);
    failures = results.filter((it) => it.status === 'rejected');
    sent.push(...done);
    if (output === 'table') await print((await Promise.all(done.map(textOf))).join(''));
  }
  if (output !== 'table' && sent.length > 0) {
    const views = await Promise.all(sent.map(viewOf));
    await show(output, count === 1 ? views[0] : views, {
      table: () => '',
      names: () => sent.flatMap(({ position }) => (position === undefined ? [] : [String(position)])),
    });
  }
  // What was sent is told all the same: it cannot be taken back.
  const [failure] = failures;
  if (failure !== undefined) throw failure.reason;
  const { position, run } = sent.at(-1)!;
  if (position !== undefined) tell(`see what becomes of it: ${programName()} events show ${position}`);
  if (run === 'failed') throw new CommandFailure('failure', 'there is no reply: what was to reply has failed');
  if (run === 'running') throw new CommandFailure('failure', `no reply has come within ${wait} s`);
}

async function messagesOf(options: SendOptions): Promise<Message[]> {
  const { composeMessages, readMessage } = await import('../compose.ts');
  const { CommandFailure } = await import('../exit-codes.ts');
  const { file, type, source = 'millrace-cli', mode, count, id, wait } = options;
  if (count > 1 && (id !== undefined || file !== undefined)) {
    throw new CommandFailure('usage', '--count: each event needs an id of its own; leave out --id and --file');
  }
  if (count > 1 && wait !== undefined) {
    throw new CommandFailure('usage', '--wait: the reply to one event can be waited for; leave out --count');
  }
  if (file !== undefined) return [await readMessage(file, mode)];
  if (type === undefined) {
    throw new CommandFailure('usage', '--type: expected the type of the event, such as com.example.created, or --file');
  }
  return composeMessages({ ...options, type, source }, mode ?? 'binary', count);
}

/** The broker's path on the data port; or the address that was given, where it has a path of its own. */
async function targetOf({ admin, url, namespace, broker, as: account }: SendOptions): Promise<SendTarget> {
  const { adminClient } = await import('../client.ts');
  const { addressOf } = await import('../http.ts');
  const { certificateFor } = await import('../admin-address.ts');
  const data = addressOf(url ?? (await adminClient(admin).get<About>('/api/about')).dataUrl, '--url');
  if (data.pathname === '/') data.pathname = `/${encodeURIComponent(namespace)}/${encodeURIComponent(broker)}`;
  const ca = certificateFor(data, { caFile: admin.caFile, port: 'events' });
  if (account === undefined) return { url: data, ca, headers: {} };
  const { apiClient } = await import('../api-client.ts');
  const { tokenOf } = await import('../service-account-token.ts');
  const audiences = [`eventing.knative.dev/broker/${namespace}/${broker}`];
  const wanted = { account, namespace, audiences, seconds: TOKEN_SECONDS };
  const token = await tokenOf(
    apiClient(admin, () => {}),
    wanted,
  );
  return { url: data, ca, headers: { authorization: `Bearer ${token}` } };
}

/** The shortest that there is: it is needed now. */
const TOKEN_SECONDS = 600;

/** Where events go, and what vouches for it. */
interface SendTarget {
  readonly url: URL;
  readonly ca: string | undefined;
  /** Of each request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** With a wait in seconds, it asks to be answered with the reply. */
async function postMessage(
  { url, ca, headers: own }: SendTarget,
  { headers: ofEvent, body, id }: Message,
  wait?: number,
): Promise<Sent> {
  const { CommandFailure } = await import('../exit-codes.ts');
  const { detailOf, exchange, reasonOf, shownAddress } = await import('../http.ts');
  const { printable } = await import('../view/printable.ts');
  const headers = { ...ofEvent, ...own };
  const waiting =
    wait === undefined
      ? { headers }
      : { headers: { ...headers, prefer: `wait=${wait}` }, silenceMs: wait * 1_000 + GRACE_MS };
  let answer: Answer;
  try {
    const path = url.pathname + url.search;
    answer = await exchange(url, { method: 'POST', path, ca, body: body ?? new Uint8Array(), ...waiting });
  } catch (error) {
    throw new CommandFailure('unreachable', `nothing answers at ${shownAddress(url)} (${reasonOf(error)})`);
  }
  const { status } = answer;
  if (status < 200 || status > 299) {
    throw new CommandFailure('failure', printable(`${shownAddress(url)} answered ${status}: ${detailOf(answer.body)}`));
  }
  const position = answer.headers['millrace-position'];
  const sent = { status, position: position === undefined ? undefined : Number(position), id };
  return wait === undefined ? sent : { ...sent, ...(await outcomeOf(answer)) };
}

/** The reply, or how the run of the event is; nothing of what takes the event without waiting. */
async function outcomeOf({ status, headers, body }: Answer): Promise<Pick<Sent, 'run' | 'reply'>> {
  if (headers['preference-applied'] === undefined) return {};
  if (status === 202) return { run: (JSON.parse(body.toString()) as { status: Sent['run'] }).status };
  const { decodeHttp } = await import('@millrace/event/http');
  const rawHeaders = Object.entries(headers).flatMap(([name, value]) => [name, [value].flat().join(', ')]);
  return { run: 'succeeded', reply: decodeHttp(rawHeaders, body) };
}

async function textOf({ status, position, id, run, reply }: Sent): Promise<string> {
  if (reply !== undefined) return (await import('../view/reply-page.ts')).replyPage(reply);
  const state = run === undefined ? '' : `, ${run === 'succeeded' ? 'over without a reply' : run}`;
  return `${status} ${position === undefined ? 'accepted' : `accepted at position ${position}`}, id ${id}${state}\n`;
}

/** A reply in the JSON format of events. */
async function viewOf({ reply, ...sent }: Sent): Promise<object> {
  if (reply === undefined) return sent;
  const { encodeJson } = await import('@millrace/event/json');
  return { ...sent, reply: JSON.parse(encodeJson(reply).toString()) as unknown };
}
