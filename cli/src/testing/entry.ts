// The commands that talk to a running process, without `up`: what the tests run as a process of its own.
import { Command, CommanderError } from 'commander';

import { CommandFailure, EXIT } from '../exit-codes.ts';

const program = new Command('millrace').exitOverride();
for (const name of ['send', 'tail', 'lint', 'dlq', 'events', 'status']) {
  const { register } = (await import(`../commands/${name}.ts`)) as { register(this: void, program: Command): void };
  register(program);
}
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else if (error instanceof CommandFailure) {
    process.stderr.write(`millrace: ${error.message}\n`);
    process.exitCode = error.exitCode;
  } else {
    throw error;
  }
}
