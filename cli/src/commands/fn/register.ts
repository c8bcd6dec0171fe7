import { Option } from 'commander';
import type { Command } from 'commander';

import { addAdmin, addOutput, several, wholeNumber } from '../../options.ts';
import { addExamples, addNamespace, NAME } from './options.ts';

/** `millrace fn`: the functions, one command a file. */
export function register(program: Command): void {
  const fn = program.command('fn').description('look at functions, call them, and change how many there are');
  registerList(fn.command('list').alias('ls'));
  registerList(program.command('functions'));

  const describing = fn
    .command('describe')
    .description('show a function: addresses, code, revisions, scaling, what is wrong and what to do')
    .argument(...NAME);
  addOutput(addAdmin(addNamespace(describing))).action(async (name, options) =>
    (await import('./describe.ts')).describe(name, options),
  );
  addExamples(describing, ['fn describe ticket-agent', 'fn describe shop/pricing -o yaml']);

  const reading = fn
    .command('logs')
    .description('print what a function wrote')
    .argument(...NAME)
    .option('-f, --follow', 'go on with what it writes from now on')
    .option('--lines <number>', 'at most so many of the last ones', wholeNumber(0, 1_000), 100)
    .option('--event <id>', 'only what it wrote about the event with this id');
  addOutput(addAdmin(addNamespace(reading)), ['table', 'json']).action(async (name, options) =>
    (await import('./logs.ts')).logs(name, options),
  );
  addExamples(reading, ['fn logs ticket-agent -f', 'fn logs ticket-agent --lines 20 --event 5f0c9d0e']);

  const invoking = fn
    .command('invoke')
    .description('call a function and print its answer as it is; with --type, as an event')
    .argument(...NAME)
    .argument('[data]', 'the body: the text itself (default: what is piped in)')
    .option('-d, --data <data>', 'the body: the text itself, @file, or - for stdin')
    .option(
      '--content-type <type>',
      'media type of the body (default: application/json if it is JSON, else text/plain)',
    )
    .option('--type <type>', 'send an event of this type')
    .option('--source <source>', 'source of the event (default: "millrace-cli")')
    .option('--id <id>', 'id of the event (default: a random one)')
    .option('--subject <subject>', 'subject of the event')
    .option('--ext <name=value>', 'an extension attribute of the event; may be given several times', several)
    .option('--path <path>', 'path and query that the function sees', '/')
    .option('--method <method>', 'method of the request', 'POST')
    .option('-H, --header <header>', 'a header, "Name: value"; may be given several times', several)
    .option('--tag <tag>', 'the revision that spec.traffic gives this tag')
    .option('--async', 'do not wait: the call is kept, and its id printed')
    .option('--wait', 'with --async: wait for the result of the call all the same')
    .option('--timeout <seconds>', 'give up after so long', wholeNumber(1))
    .option('-v, --verbose', 'say on stderr what came back, also when that is no terminal');
  addAdmin(addNamespace(invoking)).action(async (name, data, options) =>
    (await import('./invoke.ts')).invoke(name, data, options),
  );
  addExamples(invoking, [
    `fn invoke ticket-agent '{"subject":"Bill","body":"It is wrong."}'`,
    `fn invoke ticket-agent --type com.example.ticket.created -d @ticket.json -v`,
  ]);

  const scaling = fn
    .command('scale')
    .description('set how many instances there are, in the place of what is declared')
    .argument(...NAME)
    .option('--min <number>', 'at least so many', wholeNumber(0, 10_000))
    .option('--max <number>', 'at most so many; 0: without a bound of its own', wholeNumber(0, 10_000))
    .addOption(new Option('--reset', 'what is declared holds again').conflicts(['min', 'max']));
  addOutput(addAdmin(addNamespace(scaling))).action(async (name, options) =>
    (await import('./scale.ts')).scale(name, options),
  );
  addExamples(scaling, ['fn scale ticket-agent --min 1 --max 5', 'fn scale ticket-agent --reset']);

  const rolling = fn
    .command('rollback')
    .description('give all calls to an earlier revision')
    .argument(...NAME)
    .option('--to <revision>', 'this one, or "latest" (default: the one before)');
  addOutput(addAdmin(addNamespace(rolling))).action(async (name, options) =>
    (await import('./rollback.ts')).rollback(name, options),
  );
  addExamples(rolling, ['fn rollback ticket-agent', 'fn rollback ticket-agent --to latest']);

  const making = fn
    .command('new')
    .description('write a folder with a function and its manifest')
    .argument('<name>', 'its name: lower-case letters, digits and -')
    .addOption(
      new Option('--template <template>', 'what to begin with')
        .choices(['ts', 'js', 'python', 'agent'])
        .makeOptionMandatory(),
    )
    .option('--dir <folder>', 'where to write it (default: a folder of its name, here)')
    .action(async (name, options) => (await import('./new.ts')).makeNew(name, options));
  addExamples(making, ['fn new greeter --template ts', 'fn new helper --template agent --dir functions/helper']);
}

function registerList(command: Command): void {
  command
    .description('list functions: revision, instances, calls in flight, state, and why not ready')
    .option('-n, --namespace <namespace>', 'only of this namespace');
  addOutput(addAdmin(command)).action(async (options) => (await import('./list.ts')).list(options));
  addExamples(command, ['fn list', 'fn list -n shop -o json']);
}
