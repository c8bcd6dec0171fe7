import { Option } from 'commander';
import type { Command } from 'commander';

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
}

/** What one message came to. */
interface Sent {
  readonly status: number;
  /** In the log; undefined where what took the event is no broker of ours. */
  readonly position: number | undefined;
  readonly id: string | undefined;
}

const EVENT_OPTIONS = ['type', 'source', 'subject', 'id', 'time', 'data', 'contentType', 'ext'];

/** `millrace send`: an event to a broker. */
export function register(program: Command): void {
  const command = program
    .command('send')
    .description('send an event to a broker')
    .option('--broker <name>', 'the broker', 'default')
    .option('-n, --namespace <namespace>', 'the namespace of the broker', 'default')
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
    .option('--count <number>', 'send so many, each with an id of its own', wholeNumber(1), 1);
  addOutput(addAdmin(command)).action(send);
}

/** Requests at once: enough for the log to write several events with one sync. */
const AT_ONCE = 16;

async function send(options: SendOptions): Promise<void> {
  const { print, show, tell } = await import('../output.ts');
  const { output, count } = options;
  const messages = await messagesOf(options);
  const url = await targetOf(options);
  const sent: Sent[] = [];
  let failures: PromiseRejectedResult[] = [];
  for (let from = 0; from < messages.length && failures.length === 0; from += AT_ONCE) {
    const results = await Promise.allSettled(messages.slice(from, from + AT_ONCE).map((it) => postMessage(url, it)));
    const done = results.filter((it) => it.status === 'fulfilled').map((it) => it.value);
    failures = results.filter((it) => it.status === 'rejected');
    sent.push(...done);
    if (output === 'table') await print(done.map(lineOf).join(''));
  }
  if (output !== 'table' && sent.length > 0) {
    await show(output, count === 1 ? sent[0] : sent, {
      table: () => '',
      names: () => sent.flatMap(({ position }) => (position === undefined ? [] : [String(position)])),
    });
  }
  // What was sent is told all the same: it cannot be taken back.
  const [failure] = failures;
  if (failure !== undefined) throw failure.reason;
  const position = sent.at(-1)?.position;
  if (position !== undefined) tell(`see what becomes of it: ${programName()} events show ${position}`);
}

async function messagesOf(options: SendOptions): Promise<Message[]> {
  const { composeMessages, readMessage } = await import('../compose.ts');
  const { CommandFailure } = await import('../exit-codes.ts');
  const { file, type, source = 'millrace-cli', mode, count, id } = options;
  if (count > 1 && (id !== undefined || file !== undefined)) {
    throw new CommandFailure('usage', '--count: each event needs an id of its own; leave out --id and --file');
  }
  if (file !== undefined) return [await readMessage(file, mode)];
  if (type === undefined) {
    throw new CommandFailure('usage', '--type: expected the type of the event, such as com.example.created, or --file');
  }
  return composeMessages({ ...options, type, source }, mode ?? 'binary', count);
}

/** The broker's path on the data port; or the address that was given, where it has a path of its own. */
async function targetOf({ admin, url, namespace, broker }: SendOptions): Promise<URL> {
  const { adminClient } = await import('../client.ts');
  const { addressOf } = await import('../http.ts');
  const data = addressOf(url ?? (await adminClient(admin).get<About>('/api/about')).dataUrl, '--url');
  if (data.pathname === '/') data.pathname = `/${encodeURIComponent(namespace)}/${encodeURIComponent(broker)}`;
  return data;
}

async function postMessage(url: URL, { headers, body, id }: Message): Promise<Sent> {
  const { CommandFailure } = await import('../exit-codes.ts');
  const { detailOf, exchange, reasonOf, shownAddress } = await import('../http.ts');
  const { printable } = await import('../view/printable.ts');
  let answer: Answer;
  try {
    const path = url.pathname + url.search;
    answer = await exchange(url, { method: 'POST', path, headers, body: body ?? new Uint8Array() });
  } catch (error) {
    throw new CommandFailure('unreachable', `nothing answers at ${shownAddress(url)} (${reasonOf(error)})`);
  }
  const { status } = answer;
  if (status < 200 || status > 299) {
    throw new CommandFailure('failure', printable(`${shownAddress(url)} answered ${status}: ${detailOf(answer.body)}`));
  }
  const position = answer.headers['millrace-position'];
  return { status, position: position === undefined ? undefined : Number(position), id };
}

function lineOf({ status, position, id }: Sent): string {
  return `${status} ${position === undefined ? 'accepted' : `accepted at position ${position}`}, id ${id}\n`;
}
