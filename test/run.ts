// The whole test run: format, lint, types, then every *.test.ts. Ends with one line: N passed, N failed, N skipped.
//   node cli/bootstrap.mjs test/run.ts [--only] [PATH-PART ...]
// A path part runs only the test files whose path holds it, without the checks.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const root = join(import.meta.dirname, '..');
process.chdir(root);
process.env['PATH'] = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env['PATH']}`;
process.env['TURBO_TELEMETRY_DISABLED'] = '1';

const parts = process.argv.slice(2);
const tally = { passed: 0, failed: 0, skipped: 0 };

if (parts.length === 0) {
  check('format', 'oxfmt', ['--check', '.']);
  check('lint', 'oxlint', ['--type-aware', '--deny-warnings']);
  check('types', 'turbo', ['run', 'types']);
}

const files = globSync('{broker/*,sources,sinks,functions,cli,console,test}/**/*.test.ts', {
  exclude: (path) => path.includes('node_modules') || path.includes('/dist/'),
})
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  .toSorted();

const stream = run({ files, concurrency: 2, timeout: 600_000, isolation: 'process' });
stream.on('test:pass', (event) => {
  if (event.details.type === 'suite') return;
  if (event.skip !== undefined) tally.skipped += 1;
  else tally.passed += 1;
});
stream.on('test:fail', (event) => {
  if (event.details.type !== 'suite') tally.failed += 1;
});
stream.compose(spec()).pipe(process.stdout);
stream.on('end', () => {
  setImmediate(() => {
    process.stdout.write(`\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped\n`);
    process.exitCode = tally.failed > 0 || tally.passed === 0 ? 1 : 0;
  });
});

function check(name: string, command: string, args: string[]) {
  const result = spawnSync(command, args, { stdio: 'inherit' });
  const passed = result.status === 0;
  tally[passed ? 'passed' : 'failed'] += 1;
  process.stdout.write(`${passed ? '✔' : '✖'} ${name}\n`);
}
