import type { Command } from 'commander';

import { EXIT } from '../exit-codes.ts';
import { programName } from '../program-name.ts';
import { addSettings, settingsOf } from '../up/settings.ts';

/** `millrace up`: everything in one process, until it is told to stop. */
export function register(program: Command): void {
  addSettings(program.command('up').description('run the broker with the manifests given')).action(
    async (options: Record<string, unknown>) => {
      const settings = settingsOf(options);
      // A reader of the log that goes away must not take the broker with it.
      process.stderr.on('error', () => {});
      const told = heardSignals();
      // Fastify, SQLite and the rest only for this command.
      const { start } = await import('../up/run.ts');
      const running = await start(settings, {
        write: (text) => void process.stderr.write(text),
        environment: process.env,
        colour: process.stderr.isTTY && process.env['NO_COLOR'] === undefined,
        command: programName(),
      });
      const ended = await Promise.race([told.stop, running.broken]);
      if (ended !== 'stop') {
        // Nothing more can be written, and what was not is not acknowledged. A restart reads what is on disk.
        process.stderr.write(`millrace: ${ended.message}\n`);
        process.exit(EXIT.storage);
      }
      process.stderr.write(
        'millrace: stopping; events are answered 503, deliveries under way finish (once more to end at once)\n',
      );
      void told.again.then(() => process.exit(EXIT.interrupted));
      await running.stop();
      process.exit(EXIT.ok);
    },
  );
}

/** A terminal signals everybody in front of it, and whoever started this passes it on: that is one wish, not two. */
const ONE_WISH_MS = 500;

/** `stop` resolves at the first signal to end, `again` at one that is meant as another. */
function heardSignals(): { stop: Promise<'stop'>; again: Promise<void> } {
  const stop = Promise.withResolvers<'stop'>();
  const again = Promise.withResolvers<void>();
  let first: number | undefined;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      first ??= Date.now();
      stop.resolve('stop');
      if (Date.now() - first > ONE_WISH_MS) again.resolve();
    });
  }
  return { stop: stop.promise, again: again.promise };
}
