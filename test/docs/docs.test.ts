import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';

import { compilePlan } from '@millrace/bus/plan/compile';
import { formatFault } from '@millrace/resources/fault';
import { readManifest } from '@millrace/resources/manifest';

import { anchorsOf, readPage, sessionOf, shapeOf } from './page.ts';
import type { Page } from './page.ts';
import { openTerminal, ROOT } from './terminal.ts';
import type { Terminal } from './terminal.ts';

const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...globSync('docs/*.md', { cwd: ROOT }).toSorted()].map(
  (file) => readPage(join(ROOT, file)),
);
const nameOf = ({ file }: Page) => relative(ROOT, file);
const pageOf = (name: string) => pages.find((page) => nameOf(page) === name)!;

describe('what the documentation shows', { concurrency: 3 }, () => {
  for (const page of pages) {
    const sessions = page.blocks.filter((it) => ['sh', 'console'].includes(it.language) && it.notRun === undefined);
    if (sessions.length > 0) {
      test(`the commands of ${nameOf(page)} do what it says`, async () => {
        await using terminal = await openTerminal(page.manifests);
        for (const block of sessions) {
          const { script, shown } = sessionOf(block);
          const said = await terminal.run(script).catch((error: Error) => {
            throw new Error(`${nameOf(page)}:${block.line}: ${error.message}`);
          });
          const shapes = new Set(said.split('\n').map(shapeOf));
          for (const line of shown)
            assert.ok(shapes.has(shapeOf(line)), `${nameOf(page)}:${block.line} shows "${line}"; it said:\n${said}`);
        }
      });
    }
    for (const block of page.blocks.filter(({ language }) => language === 'yaml')) {
      test(`the manifest at ${nameOf(page)}:${block.line} has no faults`, () => {
        const { declared, faults } = readManifest(block.text, nameOf(page));
        assert.deepEqual(faults.map(formatFault), []);
        assert.notEqual(declared.length, 0);
        assert.deepEqual(compilePlan(declared, 'http://127.0.0.1:8080').faults, []);
      });
    }
    test(`the links of ${nameOf(page)} lead somewhere`, () => {
      for (const link of page.links.filter((it) => !/^[a-z]+:/.test(it))) {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page.file : join(dirname(page.file), path);
        assert.ok(existsSync(target), `${nameOf(page)} links to ${link}, which is not there`);
        if (anchor !== undefined) assert.ok(anchorsOf(readPage(target)).has(anchor), `${link} has no such heading`);
      }
    });
  }

  test('few blocks are not run', () => {
    const notRun = pages.flatMap((page) => page.blocks.filter((it) => it.notRun !== undefined));
    assert.ok(notRun.length <= 8, notRun.map((it) => it.text).join('\n---\n'));
  });
});

describe('what the documentation must not leave out', () => {
  const inTerminal = async (look: (terminal: Terminal) => Promise<void>) => {
    await using terminal = await openTerminal('manifests/examples/support-tickets');
    await look(terminal);
  };

  test('operations.md has every flag and variable of up, and every metric', () =>
    inTerminal(async (terminal) => {
      const { text } = pageOf('docs/operations.md');
      const help = await terminal.run('millrace up --help');
      const metrics = await terminal.run('curl -s http://127.0.0.1:8081/metrics');
      const names = [
        ...help.matchAll(/--[a-z-]+|MILLRACE_[A-Z_]+/g),
        ...metrics.matchAll(/(?<=^# HELP )(?:millrace|kn)_\w+/gm),
      ].map(([name]) => name);
      assert.ok(names.length > 30);
      assert.deepEqual(
        names.filter((name) => !text.includes(`\`${name}`)),
        [],
      );
    }));

  test('command-line.md has every command', () =>
    inTerminal(async (terminal) => {
      const { text } = pageOf('docs/command-line.md');
      for (const command of ['', 'events', 'runs', 'flow', 'dlq', 'fn']) {
        const help = await terminal.run(`millrace ${command} --help`);
        const list = help.slice(help.indexOf('Commands:'));
        const names = [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name).filter((it) => it !== 'help');
        assert.notEqual(names.length, 0);
        for (const name of names) assert.ok(text.includes(`millrace ${command} ${name}`.replace('  ', ' ')), name);
      }
    }));
});
