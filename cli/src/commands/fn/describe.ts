import type { FunctionView, LogLine } from '@millrace/bus/admin/functions';

import { adminClient } from '../../client.ts';
import type { About, AdminClient } from '../../client.ts';
import type { OutputOption } from '../../options.ts';
import { show } from '../../output.ts';
import { functionPage } from '../../view/function-page.ts';
import { functionName } from './options.ts';
import type { FunctionName, NamedOptions } from './options.ts';

const LAST_LINES = 10;

/** `millrace fn describe`. */
export async function describe(given: string, options: NamedOptions & OutputOption): Promise<void> {
  const name = functionName(given, options);
  const client = adminClient(options.admin);
  const view = await client.get<FunctionView>(name.path);
  const { dataUrl } = await client.get<About>('/api/about');
  const urls = { host: view.url, path: `${dataUrl}/functions/${name.full}` };
  const lines = view.reason === '' ? [] : await lastLines(client, name);
  await show(
    options.output,
    { ...view, urls },
    { table: () => functionPage(view, { dataUrl, lines }), names: () => [view.name] },
  );
}

async function lastLines(client: AdminClient, { path }: FunctionName): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const text of await client.follow(`${path}/logs`, { lines: LAST_LINES })) {
    lines.push(JSON.parse(text) as LogLine);
  }
  return lines;
}
