#!/usr/bin/env node
import { Command, CommanderError } from 'commander';

import * as apiResources from './commands/api-resources.ts';
import * as apply from './commands/apply.ts';
import * as remove from './commands/delete.ts';
import * as describe from './commands/describe.ts';
import * as diff from './commands/diff.ts';
import * as dlq from './commands/dlq.ts';
import * as events from './commands/events.ts';
import * as explain from './commands/explain.ts';
import * as flow from './commands/flow.ts';
import * as fn from './commands/fn/register.ts';
import * as get from './commands/get.ts';
import * as kubeconfig from './commands/kubeconfig.ts';
import * as lint from './commands/lint.ts';
import * as runs from './commands/runs.ts';
import * as send from './commands/send.ts';
import * as status from './commands/status.ts';
import * as tail from './commands/tail.ts';
import * as token from './commands/token.ts';
import * as trigger from './commands/trigger/register.ts';
import * as types from './commands/types.ts';
import * as up from './commands/up.ts';
import * as waitFor from './commands/wait.ts';
import * as why from './commands/why.ts';
import { CommandFailure, EXIT } from './exit-codes.ts';
import { version } from './version.ts';

/** The `millrace` command. Each subcommand is a file; what it needs is loaded when it is called. */
const program = new Command('millrace')
  .version(version)
  .description('A Knative-compatible CloudEvents broker that runs as one process')
  .showHelpAfterError('(millrace --help lists the commands)')
  .exitOverride();

up.register(program);
send.register(program);
tail.register(program);
events.register(program);
why.register(program);
runs.register(program);
types.register(program);
dlq.register(program);
trigger.register(program);
fn.register(program);
flow.register(program);
status.register(program);
lint.register(program);
get.register(program);
describe.register(program);
apply.register(program);
diff.register(program);
remove.register(program);
waitFor.register(program);
explain.register(program);
apiResources.register(program);
kubeconfig.register(program);
token.register(program);

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
