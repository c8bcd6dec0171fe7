import type { TypeView } from '@millrace/bus/admin/types';
import type { EntrySummary, EventDetail } from '@millrace/bus/admin/views';
import type { Command } from 'commander';

import type { AdminClient } from '../client.ts';
import { addAdmin, addOutput } from '../options.ts';
import type { AdminOption, OutputOption } from '../options.ts';

interface ShowOptions extends AdminOption, OutputOption {
  readonly source?: string;
}

/** `millrace types`: which events there are. */
export function register(program: Command): void {
  const types = program.command('types').description('look at the types of events: what enters, how often, as what');
  const listing = types.command('list', { isDefault: true }).description('list them, with rates since the start');
  addOutput(addAdmin(listing)).action(list);
  const showing = types
    .command('show')
    .description('show a type: where it enters, its schema, and the newest event of it')
    .argument('<type>', 'the type of the events')
    .option('--source <source>', 'only of this source');
  addOutput(addAdmin(showing)).action(showOne);
}

async function list({ admin, output }: AdminOption & OutputOption): Promise<void> {
  const { adminClient } = await import('../client.ts');
  const { show, tell } = await import('../output.ts');
  const { typeTable } = await import('../view/type-table.ts');
  const views = await adminClient(admin).get<TypeView[]>('/api/types');
  if (views.length === 0 && output === 'table') tell('No types found: nothing has entered yet.');
  else await show(output, views, { table: () => typeTable(views), names: () => namesOf(views) });
}

async function showOne(type: string, { admin, output, source }: ShowOptions): Promise<void> {
  const { adminClient } = await import('../client.ts');
  const { CommandFailure } = await import('../exit-codes.ts');
  const { show } = await import('../output.ts');
  const { typePage } = await import('../view/type-page.ts');
  const client = adminClient(admin);
  const all = await client.get<TypeView[]>('/api/types');
  const views = all.filter((it) => it.type === type && (source === undefined || (it.source ?? source) === source));
  if (views.length === 0) {
    const { nearest } = await import('@millrace/resources/nearest');
    const meant = nearest(type, namesOf(all));
    const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`;
    throw new CommandFailure('notFound', `there are no events of the type "${type}"${hint}`);
  }
  const example = await exampleOf(client, views, { type, source });
  const value = { types: views, ...(example !== undefined && { example }) };
  await show(output, value, { table: () => typePage(views, example), names: () => namesOf(views) });
}

function namesOf(views: readonly TypeView[]): string[] {
  return [...new Set(views.map((it) => it.type))];
}

/** The newest event that there is of them in the log; undefined when retention has left none. */
async function exampleOf(
  client: AdminClient,
  views: readonly TypeView[],
  query: { readonly type: string; readonly source: string | undefined },
): Promise<EventDetail | undefined> {
  const newest = Math.max(...views.map((it) => it.lastPosition ?? 0));
  // What has entered before the process began is not counted, and has to be looked for.
  const found = newest === 0 ? await client.get<EntrySummary[]>('/api/events', { ...query, limit: 1 }) : [];
  const position = found[0]?.position ?? newest;
  return position === 0 ? undefined : client.get<EventDetail>(`/api/events/${position}`);
}
