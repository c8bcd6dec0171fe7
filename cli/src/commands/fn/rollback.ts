import type { RolledBack } from '@millrace/bus/admin/functions';

import { adminClient } from '../../client.ts';
import type { OutputOption } from '../../options.ts';
import { show } from '../../output.ts';
import { printable } from '../../view/printable.ts';
import { functionName } from './options.ts';
import type { FunctionName, NamedOptions } from './options.ts';

/** `millrace fn rollback`. */
export async function rollback(
  given: string,
  options: NamedOptions & OutputOption & { readonly to?: string },
): Promise<void> {
  const name = functionName(given, options);
  const done = await adminClient(options.admin).post<RolledBack>(`${name.path}/rollback`, { to: options.to });
  await show(
    options.output,
    { name: name.full, ...done },
    { table: () => `${printable(sentence(name, done))}\n`, names: () => [done.revision] },
  );
}

function sentence({ service }: FunctionName, { revision, before }: RolledBack): string {
  const [only, ...others] = before;
  if (only?.revision === revision && others.length === 0) return `${service}: all calls went to ${revision} already`;
  // The revisions of a function begin with its name.
  const short = (it: string) => (it.startsWith(`${service}-`) ? it.slice(service.length) : it);
  const was = before.map((it) => `${short(it.revision)}${others.length === 0 ? '' : ` ${it.percent}%`}`).join(', ');
  return `${service}: all calls go to ${revision} again${was === '' ? '' : ` (was ${was})`}`;
}
