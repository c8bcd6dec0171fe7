import type { BackTest } from '@millrace/bus/admin/back-test';
import type { TestRequest } from '@millrace/bus/admin/triggers';
import { formatFault } from '@millrace/resources/fault';
import { brokerOf } from '@millrace/resources/trigger';

import { adminClient } from '../../client.ts';
import { CommandFailure } from '../../exit-codes.ts';
import type { AdminOption, OutputOption } from '../../options.ts';
import { show } from '../../output.ts';
import { routeName } from '../../route-name.ts';
import { readManifests } from '../../up/manifests.ts';
import { backTestPage } from '../../view/back-test-page.ts';
import { printable } from '../../view/printable.ts';
import { momentFor } from './moment.ts';

type TestOptions = AdminOption &
  OutputOption & {
    readonly file: readonly string[];
    readonly since: string;
    readonly limit?: number;
    readonly trigger?: string;
  };

/** `millrace trigger test`. Prints one page for each Trigger of the manifests. */
export async function test({ file, since, limit, trigger, admin, output }: TestOptions): Promise<void> {
  const from = new Date(momentFor('--since', since, Date.now())).toISOString();
  const triggers = triggersIn(file);
  if (trigger !== undefined && triggers.length > 1) {
    const message = `--trigger is for one Trigger, and the manifests have ${triggers.length}`;
    throw new CommandFailure('usage', message);
  }
  const client = adminClient(admin);
  const other = await routeName(client, trigger);
  const tested: { trigger: string; result: BackTest }[] = [];
  for (const { metadata, spec, broker } of triggers) {
    const { namespace, name } = metadata;
    const { filter, filters } = spec;
    const route = other ?? `trigger/${namespace}/${name}`;
    const ask: TestRequest = { namespace, broker, filter, filters, route, since: from, limit };
    // However long it takes to look at all of them.
    tested.push({ trigger: `${namespace}/${name}`, result: await client.post('/api/triggers/test', ask, 0) });
  }
  const values = tested.map((it) => ({ trigger: it.trigger, ...it.result }));
  await show(output, values.length === 1 ? values[0] : values, {
    table: () => tested.map((it) => backTestPage(it.trigger, it.result)).join('\n'),
    names: () => [],
  });
}

function triggersIn(paths: readonly string[]) {
  const { declared, faults } = readManifests(paths, 'http://127.0.0.1:8080');
  if (faults.length > 0) {
    const lines = faults.map((it) => `  ${printable(formatFault(it))}`);
    throw new CommandFailure('invalid', `there are faults in the manifests:\n${lines.join('\n')}`);
  }
  const triggers = declared.flatMap(({ resource }) =>
    resource.kind === 'Trigger' ? [{ ...resource, broker: brokerOf(resource) }] : [],
  );
  if (triggers.length > 0) return triggers;
  throw new CommandFailure('usage', `there is no Trigger in ${printable(paths.join(', '))}`);
}
