import type { DeadLetterView } from '@millrace/bus/admin/views';
import type { Status } from '@millrace/bus/plan/plan';

import type { AdminClient } from './client.ts';
import { CommandFailure } from './exit-codes.ts';
import { MOST_ROWS } from './options.ts';
import { printable } from './view/printable.ts';

/**
 * The full name of a route: `urgent` and `default/urgent` stand for `trigger/default/urgent` as long as they can mean
 * nothing else. A full name is taken as it is. Rejects with a {@link CommandFailure} for what is unknown or ambiguous.
 */
export async function routeName(client: AdminClient, given: string): Promise<string>;
export async function routeName(client: AdminClient, given: string | undefined): Promise<string | undefined>;
export async function routeName(client: AdminClient, given: string | undefined): Promise<string | undefined> {
  if (given === undefined || isFull(given)) return given;
  const known = await knownRoutes(client);
  const meant = known.filter((route) => route === given || route.endsWith(`/${given}`));
  const [only, ...others] = meant;
  if (only === undefined) {
    const list = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
    throw new CommandFailure('notFound', printable(`there is no route "${given}"; ${list}`));
  }
  if (others.length > 0) {
    throw new CommandFailure('usage', printable(`the route "${given}" may be any of ${meant.join(', ')}: say which`));
  }
  return only;
}

function isFull(name: string): boolean {
  return /^[^/]+\/[^/]+\/./.test(name);
}

/** Those of the declared resources, and those that have left nothing but dead letters. */
async function knownRoutes(client: AdminClient): Promise<string[]> {
  const [resources, letters] = await Promise.all([
    client.get<readonly Status[]>('/api/resources'),
    client.get<readonly DeadLetterView[]>('/api/dead-letters', { limit: MOST_ROWS }),
  ]);
  const declared = resources
    .filter(({ kind }) => kind === 'Trigger' || kind.endsWith('Source'))
    .map(({ kind, namespace, name }) => `${kind.toLowerCase()}/${namespace}/${name}`);
  return [...new Set([...declared, ...letters.map((it) => it.route)])].toSorted();
}
