import type { Command } from 'commander';

import { addAdmin, addOutput, several, wholeNumber } from '../../options.ts';

/** `millrace trigger`: trying filters, and moving Triggers, one command a file. */
export function register(program: Command): void {
  const trigger = program
    .command('trigger')
    .description('try the filter of a Trigger on stored events; move a Trigger');

  const testing = trigger
    .command('test')
    .description('count which stored events the filter of a Trigger would let pass, without applying it')
    .requiredOption('-f, --file <path>', 'manifest file or folder; may be given several times', several)
    .option('--since <time>', 'how far to go back: 24h, 30m, 7d, or a time in RFC 3339', '24h')
    .option('--limit <events>', 'look at the newest so many events only', wholeNumber(1))
    .option('--trigger <name>', 'compare with this Trigger (default: the one of the same name)');
  addOutput(addAdmin(testing), ['table', 'json', 'yaml']).action(async (options) =>
    (await import('./test.ts')).test(options),
  );

  const seeking = trigger
    .command('seek')
    .description('move a Trigger: back, and its events are delivered again; forward, and they are passed by')
    .argument('<trigger>', 'such as default/urgent, or just urgent')
    .requiredOption(
      '--to <place>',
      'where it goes on: a position, 2h (so long ago), a time in RFC 3339, beginning or end',
    )
    .option('--dry-run', 'only say what that would be')
    .option('-y, --yes', 'do not ask');
  addOutput(addAdmin(seeking), ['table', 'json', 'yaml']).action(async (name, options) =>
    (await import('./seek.ts')).seek(name, options),
  );
}
