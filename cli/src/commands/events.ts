import type { EntrySummary, EventDetail } from '@millrace/bus/admin/views';
import type { Command } from 'commander';

import type { AdminClient } from '../client.ts';
import { addAdmin, addLimit, addOutput, wholeNumber } from '../options.ts';
import type { AdminOption, OutputOption } from '../options.ts';

interface ListOptions extends AdminOption, OutputOption {
  readonly type?: string;
  readonly source?: string;
  readonly topic?: string;
  readonly id?: string;
  readonly limit: number;
  readonly before?: number;
}

interface ShowOptions extends AdminOption, OutputOption {
  readonly raw?: true;
  readonly depth: number;
}

/** `millrace events`: the events that the log holds, and what became of each. */
export function register(program: Command): void {
  const events = program.command('events').description('look at events and what became of them');
  const listing = events
    .command('list')
    .description('list events, the newest first')
    .option('--type <type>', 'only of this type')
    .option('--source <source>', 'only of this source')
    .option('--topic <topic>', 'only of this topic, such as broker/default/default')
    .option('--id <id>', 'only with this id')
    .option('--before <position>', 'only older ones than this position', wholeNumber(1));
  addLimit(addOutput(addAdmin(listing))).action(list);
  const showing = events
    .command('show')
    .description('show an event: where it came from, which routes took it and why, every attempt, its replies')
    .argument('<position|id>', 'its position in the log, or its id')
    .option('--depth <levels>', 'how far to follow replies', wholeNumber(0, 255), 5)
    .option('--raw', 'print the bytes of its data and nothing else (escaped on a terminal)');
  addOutput(addAdmin(showing)).action(showOne);
}

async function list({ admin, output, ...query }: ListOptions): Promise<void> {
  const { adminClient } = await import('../client.ts');
  const { show, tell } = await import('../output.ts');
  const { table } = await import('../view/table.ts');
  const { age } = await import('../view/time.ts');
  const { type, source, topic, id, limit, before } = query;
  const client = adminClient(admin);
  const found = await client.get<readonly EntrySummary[]>('/api/events', { type, source, topic, id, limit, before });
  if (found.length === 0 && output === 'table') return tell('No events found.');
  await show(output, found, {
    table: () =>
      table(
        ['POSITION', 'TYPE', 'SOURCE', 'ID', 'TOPIC', 'AGE'],
        found.map((it) => [it.position, it.type, it.source, it.id, it.topic, age(it.arrivedAt)]),
      ),
    names: () => found.map((it) => String(it.position)),
  });
}

async function showOne(key: string, { admin, output, raw, depth }: ShowOptions): Promise<void> {
  const { adminClient } = await import('../client.ts');
  const client = adminClient(admin);
  if (raw === true) return printRaw(client, key);
  const event = await client.get<EventDetail>(`/api/events/${encodeURIComponent(key)}`);
  const { show } = await import('../output.ts');
  const { eventPage } = await import('../view/event-page.ts');
  const { lineageOf } = await import('../lineage.ts');
  const lineage = await lineageOf(client, event, output === 'name' ? 0 : depth);
  await show(output, lineage, { table: () => eventPage(lineage), names: () => [String(event.position)] });
}

async function printRaw(client: AdminClient, key: string): Promise<void> {
  const { print } = await import('../output.ts');
  const { printableLines } = await import('../view/printable.ts');
  const bytes = await client.bytes(`/api/events/${encodeURIComponent(key)}/data`);
  await print(process.stdout.isTTY ? printableLines(bytes.toString()) : bytes);
}
