import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { aContext, anEvent, failureOf, until } from '../../test-support.ts';
import { untilGone, useInstances } from './instances.fixture.ts';

const onLinux = { skip: process.platform === 'linux' ? false : 'looks at /proc' };

/** The same questions, asked of both languages. */
const ASK = {
  node: `
    import { execFileSync, spawn } from 'node:child_process';
    import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
    import { tmpdir } from 'node:os';
    const linkOf = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd); } catch { return undefined; } };
    export default (event) => {
      switch (event.subject) {
        case 'place': {
          writeFileSync(tmpdir() + '/made', '');
          return { pid: process.pid, cwd: process.cwd(), home: process.env.HOME, temporary: tmpdir() };
        }
        case 'descriptors':
          return readdirSync('/proc/self/fd').map(linkOf).filter(Boolean);
        case 'child':
          return { environment: execFileSync('env', { encoding: 'utf8' }).split('\\n').filter(Boolean) };
        case 'daemon': {
          const daemon = spawn('sleep', ['600'], { detached: true, stdio: 'ignore', cwd: '/' });
          daemon.unref();
          return { pid: process.pid, daemon: daemon.pid };
        }
        case 'stubborn':
          process.on('SIGTERM', () => console.log('no'));
          return { pid: process.pid };
      }
    }`,
  python: `
import json, os, signal, subprocess, tempfile

def link(fd):
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return None

def daemon():
    pid = os.fork()
    if pid == 0:
        os.setsid()
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        while True:
            signal.pause()
    return pid

def handle(event, context):
    subject = event.headers.get("ce-subject")
    if subject == "place":
        open(os.path.join(tempfile.gettempdir(), "made"), "w").close()
        places = {"cwd": os.getcwd(), "home": os.environ["HOME"], "temporary": tempfile.gettempdir()}
        answer = {"pid": os.getpid(), **places}
    elif subject == "descriptors":
        answer = [name for name in map(link, os.listdir("/proc/self/fd")) if name]
    elif subject == "child":
        answer = {"environment": subprocess.check_output(["env"], text=True).split("\\n")[:-1]}
    elif subject == "daemon":
        answer = {"pid": os.getpid(), "daemon": daemon()}
    return {"statusCode": 200, "body": json.dumps(answer)}
`,
} as const;

for (const language of ['node', 'python'] as const) {
  void describe(`an instance of ${language}, and what is around it`, () => {
    const instances = useInstances();

    test('has a process group, a folder and a temporary folder of its own, gone with it', onLinux, async () => {
      const [one, other] = [
        await instances.start(ASK[language], {}, language),
        await instances.start(ASK[language], {}, language),
      ];
      await Promise.all([one.ready, other.ready]);
      const [first, second] = [await one.ask('place'), await other.ask('place')];
      assert.deepEqual([first.cwd, first.temporary], [first.home, first.home]);
      assert.notEqual(first.home, second.home);
      assert.equal(groupOf(first.pid), first.pid);
      assert.notEqual(groupOf(first.pid), groupOf(process.pid));
      assert.ok(existsSync(join(first.home, 'made')));
      await one.stop();
      assert.equal(existsSync(first.home), false);
      assert.ok(existsSync(join(second.home, 'made')));
    });

    test('sees no variable of ours, nor does anybody who looks at it, nor what it starts', onLinux, async () => {
      process.env['MILLRACE_TEST_SECRET'] = 'of the parent';
      const instance = await instances.start(ASK[language], { environment: { MODEL: 'small' } }, language);
      await instance.ready;
      const { pid } = await instance.ask('place');
      const { environment } = await instance.ask('child');
      delete process.env['MILLRACE_TEST_SECRET'];
      assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'utf8'), /of the parent/);
      const names = environment.map((line: string) => line.split('=')[0]).filter((name: string) => name !== '_');
      // Python says so itself where the C locale is set.
      const own = names.filter((name: string) => name !== 'LC_CTYPE').toSorted();
      assert.deepEqual(own, ['HOME', 'LANG', 'MODEL', 'PATH', 'TMPDIR']);
    });

    test('has none of our open files and connections', onLinux, async (test) => {
      const file = openSync(join(instances.folder, `code_1.${language === 'node' ? 'mjs' : 'py'}`), 'r');
      const server = createServer().listen(0);
      test.after(() => {
        closeSync(file);
        server.close();
      });
      await once(server, 'listening');
      const ours = readlinkSync(`/proc/self/fd/${file}`);
      assert.ok((server.address() as AddressInfo).port > 0);
      const sockets = new Set(socketsOf(process.pid));
      const instance = await instances.start(ASK[language], {}, language);
      await instance.ready;
      const descriptors: string[] = await instance.ask('descriptors');
      assert.equal(descriptors.includes(ours), false);
      assert.deepEqual(
        descriptors.filter((name) => sockets.has(name)),
        [],
      );
    });

    test('takes a daemon with it that has left its process group', onLinux, async () => {
      const instance = await instances.start(ASK[language], {}, language);
      await instance.ready;
      const { pid, daemon } = await instance.ask('daemon');
      await until(() => groupOf(daemon) === daemon);
      assert.notEqual(groupOf(pid), daemon);
      await instance.stop();
      await untilGone(daemon);
    });
  });
}

describe('an instance that is to end', () => {
  const instances = useInstances();

  test('is ended by force when it ignores SIGTERM, once the grace is over', async () => {
    const instance = await instances.start(ASK.node, { terminationGraceMs: 200 });
    await instance.ready;
    const { pid } = await instance.ask('stubborn');
    await instance.stop();
    await untilGone(pid);
    assert.ok(instance.lines.some(({ text }) => text === 'no'));
    assert.match(await instance.ended, /was ended by SIGKILL/);
  });

  test('takes with it what its code has started, when it is killed in an endless loop', onLinux, async () => {
    const instance = await instances.start(`
      import { spawn } from 'node:child_process';
      export default () => {
        console.log(spawn('sh', ['-c', 'sleep 600 & wait'], { stdio: 'ignore' }).pid);
        for (;;);
      }`);
    await instance.ready;
    const call = failureOf(instance.handler(anEvent(), aContext()));
    await until(() => instance.lines.length > 0);
    await instance.kill();
    await call;
    await untilGone(Number(instance.lines[0]!.text));
  });

  test('takes a daemon with it when we are killed', onLinux, async () => {
    const code = join(instances.folder, 'daemon.mjs');
    const told = join(instances.folder, 'daemon.pid');
    writeFileSync(
      code,
      `import { spawn } from 'node:child_process';
       import { renameSync, writeFileSync } from 'node:fs';
       export default () => {
         const daemon = spawn('sleep', ['600'], { detached: true, stdio: 'ignore', cwd: '/' });
         writeFileSync('told', String(daemon.pid));
         renameSync('told', ${JSON.stringify(told)});
         return new Promise(() => {});
       }`,
    );
    const parent = spawn(process.execPath, [fileURLToPath(new URL('../../parent.fixture.ts', import.meta.url)), code], {
      stdio: 'inherit',
    });
    await until(() => existsSync(told));
    const daemon = Number(readFileSync(told, 'utf8'));
    process.kill(daemon, 0);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await untilGone(daemon);
  });
});

/** The process group: the third field after the name, which may hold anything. */
function groupOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
}

function socketsOf(pid: number): string[] {
  return Array.from({ length: 200 }, (_, descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
    } catch {
      return '';
    }
  }).filter((name) => name.startsWith('socket:'));
}
