#!/usr/bin/env node
import { Command, CommanderError } from 'commander';

import { CommandFailure, EXIT } from './exit-codes.ts';

/** The `millrace` command. Each subcommand is a file; it is loaded when it is called. */
const program = new Command('millrace')
  .description('A Knative-compatible CloudEvents broker that runs as one process')
  .showHelpAfterError('(millrace --help lists the commands)')
  .exitOverride();

for (const load of [() => import('./commands/up.ts')]) {
  const { register } = await load();
  register(program);
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CommandFailure) {
    process.stderr.write(`millrace: ${error.message}\n`);
    return error.exitCode;
  }
  process.stderr.write(`millrace: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT.failure;
}
