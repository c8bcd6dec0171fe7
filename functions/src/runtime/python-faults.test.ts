import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { HandlerFailure } from '@millrace/event/handler';

import { aContext, anEvent, failureOf, until } from '../test-support.ts';
import { openWorkbench } from './workbench.fixture.ts';
import type { Piece } from './workbench.fixture.ts';

const bench = openWorkbench();
after(() => bench.close());

let files = 0;
function python(code: string): Piece & { file: string } {
  const file = bench.write(`fault_${(files += 1)}.py`, code);
  return Object.assign(bench.begin({ language: 'python', file }), { file });
}

describe('a Python file with a fault', () => {
  test('is not ready, with the place of a syntax error', async () => {
    const piece = python('def handle(req):\n  return (');
    await assert.rejects(piece.ready, { message: `SyntaxError: ${piece.file}:2: '(' was never closed` });
  });

  test('is not ready, with what is missing, where it was looked for, and what to do', async () => {
    const piece = python('\nimport no_such_module\ndef handle(req): pass');
    await assert.rejects(piece.ready, ({ message }: Error) => {
      assert.ok(
        message.startsWith(`ModuleNotFoundError: No module named 'no_such_module' (imported by ${piece.file}:2)`),
      );
      assert.ok(message.includes(`looked for in ${bench.folder}, `));
      assert.match(message, /add it to requirements\.txt$/);
      return true;
    });
  });

  test('is not ready, with the line that raised', async () => {
    const piece = python('import os\nkey = os.environ["NO_SUCH_KEY"]');
    await assert.rejects(piece.ready, { message: `KeyError: 'NO_SUCH_KEY' (${piece.file}:2)` });
  });
});

describe('a Python handler that goes wrong', () => {
  const waiting = (): AbortController => new AbortController();
  const call = async (piece: Piece, signal?: AbortSignal): Promise<HandlerFailure> => {
    await piece.ready;
    return failureOf(piece.handler(anEvent(), aContext(signal)));
  };

  for (const [what, code, end] of [
    ['asks Python to exit', 'import sys\ndef handle(req): sys.exit(7)', /exited with code 7/],
    [
      'says why it exits',
      'import sys\ndef handle(req): sys.exit("no key")',
      /exited with code 1; last on stderr: no key/,
    ],
    ['exits while it streams', 'import sys\ndef handle(req):\n  yield sys.exit(6)', /exited with code 6/],
    ['exits in a coroutine', 'import sys\nasync def main(event): sys.exit(5)', /exited with code 5/],
    ['ends its process', 'import os\ndef handle(req): os._exit(3)', /exited with code 3/],
    ['kills itself', 'import os\ndef handle(req): os.kill(os.getpid(), 9)', /was ended by SIGKILL/],
    ['kills its group', 'import os\ndef handle(req): os.killpg(0, 9)', /was ended by SIGKILL/],
    ['crashes', 'import ctypes\ndef handle(req): ctypes.string_at(0)', /was ended by SIGSEGV/],
  ] as const) {
    test(`and ${what} is a failed call that tells how it ended`, async () => {
      const piece = python(code);
      assert.match((await call(piece)).message, end);
      assert.match(await piece.ended, end);
    });
  }

  test('and returns what nobody can send fails that call only', async () => {
    const piece = python('def handle(event, context):\n  return "fine" if event.path == "/fine" else object()');
    await piece.ready;
    const { status, text } = await piece.tell();
    assert.deepEqual([status, JSON.parse(text).error], [500, 'TypeError']);
    assert.equal((await piece.tell({ path: '/fine' })).text, 'fine');
  });

  test('and never returns is ended with all that it has started, when nobody waits any more', async () => {
    const piece = python(`
import os, signal, subprocess
signal.signal(signal.SIGTERM, lambda *_: print("no"))
def handle(req):
    print(os.getpid(), flush=True)
    while True: pass`);
    const given = waiting();
    const failed = call(piece, given.signal);
    await until(() => bench.lines.some((line) => line.instance === piece.id));
    given.abort(new HandlerFailure('took too long'));
    assert.match((await failed).message, /took too long/);
    await piece.kill();
    assert.match(await piece.ended, /SIGKILL/);
  });

  test('and prints 100 MB is waited for', async () => {
    const piece = python(`
import sys
def handle(req):
    for _ in range(100):
        sys.stdout.write("x" * 2**20)
    print()
    return "done"`);
    await piece.ready;
    assert.equal((await piece.tell()).text, 'done\n');
    await piece.kill();
    bench.lines.length = 0;
  });
});
