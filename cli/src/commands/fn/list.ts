import type { FunctionView } from '@millrace/bus/admin/functions';

import { adminClient } from '../../client.ts';
import type { OutputOption } from '../../options.ts';
import { show, tell } from '../../output.ts';
import { functionTable } from '../../view/function-table.ts';
import type { NamedOptions } from './options.ts';

/** `millrace fn list`. */
export async function list({ admin, namespace, output }: NamedOptions & OutputOption): Promise<void> {
  const all = await adminClient(admin).get<readonly FunctionView[]>('/api/functions');
  const found = all.filter((it) => namespace === undefined || it.namespace === namespace);
  if (found.length === 0 && output === 'table') return tell('No functions found.');
  await show(output, found, { table: () => functionTable(found), names: () => found.map((it) => it.name) });
}
