import type { DeadLetterView } from '@millrace/bus/admin/views';
import type { Command } from 'commander';

import type { AdminClient } from '../client.ts';
import { addAdmin, addLimit, addOutput, MOST_ROWS, wholeNumber } from '../options.ts';
import type { AdminOption, OutputOption } from '../options.ts';
import { programName } from '../program-name.ts';

interface RouteOption {
  readonly route?: string;
}

type MoveOptions = AdminOption & RouteOption & { readonly all?: true; readonly yes?: true };

/** `millrace dlq`: what failed for good and had nowhere to go. */
export function register(program: Command): void {
  const dlq = program.command('dlq').description('look at dead letters, deliver them again, or forget them');
  const listing = dlq.command('list').description('list dead letters, the newest first');
  addLimit(addOutput(addAdmin(addRoute(listing)))).action(list);
  const showing = dlq
    .command('show')
    .description('show a dead letter: why, how often, and what the subscriber said')
    .argument('<position>', 'the position of its event', wholeNumber(1));
  addOutput(addAdmin(addRoute(showing))).action(showOne);
  for (const verb of ['redrive', 'purge'] as const) {
    const moving = dlq
      .command(verb)
      .description(verb === 'redrive' ? 'deliver dead letters again, with all attempts' : 'forget dead letters')
      .argument('[position...]', 'the positions of their events', positions)
      .option('--all', 'all dead letters of all routes')
      .option('-y, --yes', 'do not ask');
    addAdmin(addRoute(moving)).action((given: readonly number[], options: MoveOptions) => move(verb, given, options));
  }
}

function addRoute(command: Command): Command {
  return command.option('--route <route>', 'of this route, such as trigger/default/urgent, or just urgent');
}

function positions(text: string, before: readonly number[] = []): number[] {
  return [...before, wholeNumber(1)(text)];
}

async function list(options: AdminOption & OutputOption & RouteOption & { limit: number }): Promise<void> {
  const { adminClient } = await import('../client.ts');
  const { show, tell } = await import('../output.ts');
  const { routeName } = await import('../route-name.ts');
  const { table } = await import('../view/table.ts');
  const { age } = await import('../view/time.ts');
  const { output, limit } = options;
  const client = adminClient(options.admin);
  const found = await deadLetters(client, { limit, route: await routeName(client, options.route) });
  if (found.length === 0 && output === 'table') return tell('No dead letters found.');
  await show(output, found, {
    table: () =>
      table(
        ['POSITION', 'ROUTE', 'TYPE', 'ATTEMPTS', 'STATUS', 'AGE', 'REASON'],
        found.map(({ position, route, type, attempts, failure, diedAt }) => [
          position,
          route,
          type,
          attempts,
          failure.status ?? '-',
          age(diedAt),
          failure.message,
        ]),
      ),
    // One event may be dead on several routes; redrive and purge take a position for all of them.
    names: () => [...new Set(found.map((it) => String(it.position)))],
  });
}

async function showOne(position: number, options: AdminOption & OutputOption & RouteOption): Promise<void> {
  const { adminClient } = await import('../client.ts');
  const { deadLetterPage } = await import('../view/dead-letter-page.ts');
  const { CommandFailure } = await import('../exit-codes.ts');
  const { show } = await import('../output.ts');
  const { printable } = await import('../view/printable.ts');
  const { routeName } = await import('../route-name.ts');
  const client = adminClient(options.admin);
  const route = await routeName(client, options.route);
  const [letter, ...others] = await deadLetters(client, { position, route, limit: MOST_ROWS });
  if (letter === undefined) throw new CommandFailure('notFound', noDeadLetter(position, route));
  if (others.length > 0) {
    const routes = [letter, ...others].map((it) => it.route).join(', ');
    throw new CommandFailure(
      'usage',
      printable(`event ${position} is dead on several routes: add --route, one of ${routes}`),
    );
  }
  await show(options.output, letter, { table: () => deadLetterPage(letter), names: () => [String(position)] });
}

async function move(verb: 'redrive' | 'purge', given: readonly number[], options: MoveOptions): Promise<void> {
  const { adminClient } = await import('../client.ts');
  const { CommandFailure } = await import('../exit-codes.ts');
  const { print } = await import('../output.ts');
  const { routeName } = await import('../route-name.ts');
  const { all, yes } = options;
  const isEverything = all === true;
  if (isEverything === (given.length > 0 || options.route !== undefined)) {
    throw new CommandFailure('usage', `say which dead letters to ${verb}: positions, --route, or --all without either`);
  }
  const client = adminClient(options.admin);
  const route = await routeName(client, options.route);
  const done = verb === 'redrive' ? 'redriven' : 'purged';
  const post = async (selection: { route?: string | undefined; position?: number }): Promise<number> =>
    (await client.post<{ count: number }>(`/api/dead-letters/${verb}`, selection)).count;

  if (given.length === 0) {
    if (isEverything && yes !== true) await confirmAll(client, verb);
    const count = await post({ route });
    return print(`${count} dead ${count === 1 ? 'letter' : 'letters'} ${done}\n`);
  }
  const missing: number[] = [];
  for (const position of given) {
    const count = await post({ position, route });
    if (count === 0) missing.push(position);
    else await print(`${position} ${done}${count === 1 ? '' : ` on ${count} routes`}\n`);
  }
  if (missing.length > 0) {
    throw new CommandFailure('notFound', missing.map((position) => noDeadLetter(position, route)).join('\n'));
  }
}

async function confirmAll(client: AdminClient, verb: string): Promise<void> {
  const { confirm } = await import('../confirm.ts');
  const { length } = await deadLetters(client, { limit: MOST_ROWS });
  const many = length === MOST_ROWS ? `${MOST_ROWS} or more` : String(length);
  await confirm(`This would ${verb} all dead letters of all routes (${many}).`);
}

function deadLetters(
  client: AdminClient,
  query: { limit: number; route?: string | undefined; position?: number },
): Promise<readonly DeadLetterView[]> {
  return client.get('/api/dead-letters', query);
}

function noDeadLetter(position: number, route: string | undefined): string {
  const of = route === undefined ? '' : ` of ${route}`;
  return `there is no dead letter ${position}${of}; see ${programName()} dlq list`;
}
