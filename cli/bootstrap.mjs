// Runs on whatever Node a machine has: installs what is missing, then hands over to the pinned Node 24.
//   node cli/bootstrap.mjs FILE.ts [ARGUMENT ...]
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const stamp = join(modules, '.millrace-installed');
const pinned = join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');

install();
run(process.argv.slice(2));

/**
 * `npm install`, unless the installed packages are those of the lockfile. Not `npm ci`: that refuses a lockfile which
 * leaves out the builds of optional packages for other platforms.
 */
function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  process.stderr.write(
    'millrace: installing what is missing (npm install), once; this takes about half a minute ...\n',
  );
  const npm = spawnSync('npm', ['install', '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: root,
    // stdout belongs to the command that runs afterwards
    stdio: ['ignore', process.stderr, process.stderr],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    process.stderr.write(
      'millrace: npm install failed; its reason stands above. Run "npm install" in this folder to see more.\n',
    );
    process.exit(npm.status ?? 1);
  }
  writeFileSync(stamp, lock);
}

/** Runs the file on Node 24: the pinned one, or this one where no pinned build exists for the platform. */
function run([file, ...rest]) {
  const node = existsSync(pinned) ? pinned : process.execPath;
  if (node === process.execPath && Number(process.versions.node.split('.')[0]) < 24) {
    process.stderr.write(
      `millrace: needs Node 24; found ${process.version}, and no pinned build for ${process.platform}-${process.arch}.\n`,
    );
    process.exit(1);
  }
  // What a person copies from a hint must work in a checkout too.
  const env = { ...process.env, MILLRACE_COMMAND: 'npm run -s millrace --' };
  const child = spawn(node, [join(root, file), ...rest], { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // A terminal signals the whole group, a supervisor only this process: what comes twice at once counts as once.
    process.on(signal, () => child.kill(signal));
  }
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)));
}
