import type { Command } from 'commander';

import { EXIT } from '../exit-codes.ts';
import { addSettings, settingsOf } from '../up/settings.ts';

/** `millrace up`: everything in one process, until it is told to stop. */
export function register(program: Command): void {
  addSettings(program.command('up').description('run the broker with the manifests given')).action(
    async (options: Record<string, unknown>) => {
      const settings = settingsOf(options);
      // Fastify, SQLite and the rest only for this command.
      const { start } = await import('../up/run.ts');
      const running = await start(settings, {
        write: (text) => void process.stderr.write(text),
        environment: process.env,
        colour: process.stderr.isTTY && process.env['NO_COLOR'] === undefined,
        command: process.env['npm_lifecycle_event'] === undefined ? 'millrace' : 'npm run -s millrace --',
      });
      const signal = new Promise<'stopped'>((resolve) => {
        for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => resolve('stopped'));
      });
      const ended = await Promise.race([signal, running.broken]);
      if (ended !== 'stopped') {
        // Nothing more can be written, and what was not is not acknowledged. A restart reads what is on disk.
        process.stderr.write(`millrace: ${ended.message}\n`);
        process.exit(EXIT.storage);
      }
      process.stderr.write(
        'millrace: stopping; events are answered 503, deliveries under way finish (once more to end at once)\n',
      );
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(EXIT.interrupted));
      await running.stop();
      process.exit(EXIT.ok);
    },
  );
}
