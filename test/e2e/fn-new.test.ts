import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { describe, test } from 'node:test';

import type { EventDetail } from '@millrace/bus/admin/views';

import { eventually, runMillrace, startMillrace, testFolder } from '../support/process.ts';

const TEMPLATES = [
  { template: 'ts', files: ['function.yaml', 'index.ts', 'package.json'], greeting: /^Hello, Ada!$/ },
  { template: 'js', files: ['function.yaml', 'index.mjs'], greeting: /^Hello, Ada!$/ },
  { template: 'python', files: ['function.yaml', 'main.py'], greeting: /^Hello, Ada!$/ },
  { template: 'agent', files: ['function.yaml', 'index.mjs'], greeting: /^\[stand-in model\] .*Ada/ },
] as const;

describe('millrace fn new', () => {
  for (const { template, files, greeting } of TEMPLATES) {
    test(`writes a function from the template ${template} that answers calls and events`, async () => {
      using folder = testFolder();
      const made = await runMillrace(['fn', 'new', 'greeter', '--template', template], { folder: folder.path });
      assert.equal(made.code, 0, made.stderr);
      assert.deepEqual(readdirSync(folder.at('greeter')).toSorted(), files);
      const lint = await runMillrace(['lint', '--strict', '-f', folder.at('greeter')]);
      assert.equal(lint.code, 0, lint.stdout + lint.stderr);

      await using millrace = await startMillrace({ data: folder.at('data'), manifests: [folder.at('greeter')] });
      // The commands that it prints, as they stand there.
      const [, invoke, send] = [...made.stdout.matchAll(/^ {2}millrace (.*)$/gm)].map(([, said = '']) => wordsOf(said));
      const environment = { MILLRACE_ADMIN: millrace.admin };
      const answer = await runMillrace(invoke!, { environment });
      assert.equal(answer.code, 0, answer.stderr);
      assert.match((JSON.parse(answer.stdout) as { greeting: string }).greeting, greeting);
      const sent = await runMillrace(send!, { environment });
      assert.equal(sent.code, 0, sent.stderr);
      const [position] = /(?<=position )\d+/.exec(sent.stdout)!;
      const reply = await eventually(
        async () => (await millrace.ask<EventDetail>(`/api/events/${position}`)).replies[0],
      );
      assert.equal(reply.type, 'greeter.answered');
    });
  }

  test('leaves alone what is there, and takes no name that cannot be one', async () => {
    using folder = testFolder();
    folder.write('mine/index.mjs', '// mine');
    const there = await runMillrace(['fn', 'new', 'mine', '--template', 'js'], { folder: folder.path });
    assert.equal(there.code, 1);
    assert.match(there.stderr, /^millrace: mine is there already: name another folder with --dir\n$/);
    assert.deepEqual(readdirSync(folder.at('mine')), ['index.mjs']);
    for (const name of ['Greeter', '../greeter', '1st', 'a-', 'a'.repeat(64)]) {
      const { code, stderr } = await runMillrace(['fn', 'new', name, '--template', 'js'], { folder: folder.path });
      assert.equal(code, 2, stderr);
    }
    const other = await runMillrace(['fn', 'new', 'mine', '--template', 'js', '--dir', 'a/b'], { folder: folder.path });
    assert.equal(other.code, 0, other.stderr);
    assert.ok(existsSync(folder.at('a/b/function.yaml')));
  });
});

/** What a shell would make of it. */
function wordsOf(said: string): string[] {
  return [...said.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);
}
