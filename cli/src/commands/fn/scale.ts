import type { FunctionView } from '@millrace/bus/admin/functions';

import { adminClient } from '../../client.ts';
import { CommandFailure } from '../../exit-codes.ts';
import type { OutputOption } from '../../options.ts';
import { show } from '../../output.ts';
import { boundsOf, shortName } from '../../view/function-table.ts';
import { printable } from '../../view/printable.ts';
import { functionName } from './options.ts';
import type { NamedOptions } from './options.ts';

interface ScaleOptions extends NamedOptions, OutputOption {
  readonly min?: number;
  readonly max?: number;
  readonly reset?: true;
}

/** `millrace fn scale`. */
export async function scale(given: string, options: ScaleOptions): Promise<void> {
  const { admin, min, max, reset, output } = options;
  if (min === undefined && max === undefined && reset === undefined) {
    throw new CommandFailure('usage', 'say what to change: --min, --max or --reset');
  }
  const bounds = reset === true ? { min: null, max: null } : { min, max };
  const { path } = functionName(given, options);
  const view = await adminClient(admin).post<FunctionView>(`${path}/scale`, bounds);
  await show(output, view, {
    table: () => printable(`${shortName(view)}: ${boundsOf(view)}`) + '\n',
    names: () => [view.name],
  });
}
