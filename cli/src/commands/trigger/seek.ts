import type { Move } from '@millrace/bus/admin/seek';
import type { SeekRequest } from '@millrace/bus/admin/triggers';

import { adminClient } from '../../client.ts';
import { confirm } from '../../confirm.ts';
import { CommandFailure } from '../../exit-codes.ts';
import type { AdminOption, OutputOption } from '../../options.ts';
import { show, tell } from '../../output.ts';
import { routeName } from '../../route-name.ts';
import { printable } from '../../view/printable.ts';
import { momentOf } from './moment.ts';

type SeekOptions = AdminOption & OutputOption & { readonly to: string; readonly dryRun?: true; readonly yes?: true };

/** `millrace trigger seek`. Says what the move is before it asks. */
export async function seek(name: string, { admin, to, dryRun, yes, output }: SeekOptions): Promise<void> {
  const client = adminClient(admin);
  const ask: SeekRequest = { route: await routeName(client, name), to: placeOf(to, Date.now()) };
  const planned = await client.post<Move>('/api/triggers/seek', { ...ask, dryRun: true }, 0);
  if (planned.completeSince !== undefined) {
    tell(`Retention may have taken events before ${planned.completeSince}: those are not delivered again.`);
  }
  if (dryRun === true || planned.from === planned.to) {
    return show(output, planned, { table: () => `${sentence(planned)}\n`, names: () => [] });
  }
  if (yes !== true) await confirm(sentence(planned));
  if (planned.inFlight > 0) tell(`It waits for what is under way: ${planned.inFlight}.`);
  const move = await client.post<Move>('/api/triggers/seek', ask, 0);
  await show(output, move, { table: () => `${sentence(move)}\n`, names: () => [] });
}

function sentence({ route, from, to, entries, matched, kept }: Move): string {
  if (from === to) return printable(`${route} stands there already: everything up to ${from} is behind it.`);
  const [way, end] = to < from ? ['back', 'delivered again'] : ['forward', 'passed by'];
  const between = `Of the ${entries} event${entries === 1 ? '' : 's'} between, its filter wants ${matched}, to be ${end}`;
  const rest =
    kept === 0 ? '' : ` but for ${kept} that ${kept === 1 ? 'waits or is' : 'wait or are'} dead, and so stay`;
  return printable(`${route}: ${way} from after ${from} to after ${to}. ${between}${rest}.`);
}

function placeOf(text: string, now: number): SeekRequest['to'] {
  if (text === 'beginning' || text === 'end') return text;
  if (/^\d+$/.test(text)) return { position: Number(text) };
  const time = momentOf(text, now);
  if (time !== undefined) return { time: new Date(time).toISOString() };
  const expected = 'a position, a duration such as 2h, a time such as 2026-01-31T12:00:00Z, beginning or end';
  throw new CommandFailure('usage', `--to: expected ${expected}, got "${printable(text)}"`);
}
