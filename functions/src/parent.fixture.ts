// A program that calls a function which never answers, so that a test can kill it in the middle.
import { openFunctions } from './functions.ts';
import { aContext, anEvent } from './test-support.ts';
import { WORKLOAD_DEFAULTS } from './workload.ts';

const file = process.argv[2]!;
const running = openFunctions({}).start({
  ...WORKLOAD_DEFAULTS,
  name: 'default/orphan',
  code: { language: file.endsWith('.py') ? 'python' : 'node', file },
});
await running.handler(anEvent(), aContext());
