import assert from 'node:assert/strict';
import type { PathLike } from 'node:fs';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { openCgroups } from './cgroup.ts';
import type { CgroupTree } from './cgroup.ts';

describe('cgroup v2', () => {
  let root: string;
  let self: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'millrace-cgroup-'));
    self = join(root, 'self');
    writeFileSync(join(root, 'cgroup.controllers'), 'cpuset cpu io memory pids\n');
    mkdirSync(join(root, 'user.slice/app.scope'), { recursive: true });
    writeFileSync(self, '0::/user.slice/app.scope\n');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  // The kernel removes a group's files with its folder.
  const remove = (folder: PathLike): void => rmSync(folder, { recursive: true });
  const open = (): CgroupTree | undefined => openCgroups({ root, self, pid: 42, remove });
  const read = (folder: string, file: string): string => readFileSync(join(root, folder, file), 'utf8');

  test('is not there where only version 1 is, or no root of it', () => {
    writeFileSync(self, '4:memory:/a\n1:cpu:/\n');
    assert.equal(open(), undefined);
    writeFileSync(self, '4:memory:/a\n0::/\n');
    rmSync(join(root, 'cgroup.controllers'));
    assert.equal(open(), undefined);
  });

  test('holds an instance in a group of its own, and leaves nothing', async () => {
    const own = 'user.slice/app.scope/millrace-42';
    const tree = open()!;
    assert.deepEqual([...tree.controllers].toSorted(), ['cpu', 'memory']);
    assert.equal(existsSync(join(root, own)), false);
    const group = tree.enter('default-agent-1', 4711, { memoryBytes: 536_870_912, cpus: 0.5 });
    const folder = `${own}/default-agent-1`;
    assert.equal(read(own, 'cgroup.subtree_control'), '+memory+cpu');
    assert.equal(read(folder, 'memory.max'), '536870912');
    assert.equal(read(folder, 'memory.swap.max'), '0');
    assert.equal(read(folder, 'memory.oom.group'), '1');
    assert.equal(read(folder, 'cpu.max'), '50000 100000');
    assert.equal(read(folder, 'cgroup.procs'), '4711');
    group.kill();
    assert.equal(read(folder, 'cgroup.kill'), '1');
    await group.leave();
    assert.equal(existsSync(join(root, own)), false);
  });

  test('tells that the kernel found no memory within the limit', () => {
    const group = open()!.enter('one', 1, { memoryBytes: 1 });
    assert.equal(group.ranOutOfMemory(), false);
    const events = join(root, 'user.slice/app.scope/millrace-42/one/memory.events');
    writeFileSync(events, 'low 0\nhigh 0\nmax 31\noom 1\noom_kill 0\n');
    assert.equal(group.ranOutOfMemory(), false);
    writeFileSync(events, 'low 0\nhigh 0\nmax 31\noom 1\noom_kill 2\noom_group_kill 1\n');
    assert.equal(group.ranOutOfMemory(), true);
  });

  test('goes beside its own group where the kernel gives nothing below it', () => {
    // A folder cannot be written as a file: so does a group refuse that has processes.
    mkdirSync(join(root, 'user.slice/app.scope/cgroup.subtree_control'));
    open()!.enter('one', 7, { cpus: 0.001 });
    assert.equal(read('user.slice/millrace-42/one', 'cpu.max'), '1000 100000');
    assert.equal(existsSync(join(root, 'user.slice/millrace-42/one/memory.max')), false);
  });

  test('is not there where neither place can be written', () => {
    for (const folder of ['user.slice/app.scope', 'user.slice']) {
      mkdirSync(join(root, folder, 'cgroup.subtree_control'));
    }
    assert.equal(open(), undefined);
  });
});
