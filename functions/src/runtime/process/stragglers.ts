import { readdir, readFile, readlink } from 'node:fs/promises';

/** One that is being ended may begin another in its last moment. */
const MAX_ROUNDS = 5;

/**
 * Ends what an instance has started and what has left its process group, as a daemon does: all that has the instance's
 * home as `HOME` or works in it, and sits at no terminal. Resolves when nothing of that kind is left. It needs `/proc`;
 * elsewhere it does nothing.
 */
export async function endStragglers(home: string): Promise<void> {
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const pids = await stragglersOf(home);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has gone by itself.
      }
    }
  }
}

async function stragglersOf(home: string): Promise<number[]> {
  const entries = await readdir('/proc').catch(() => []);
  const pids = entries.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(async (pid) => pid !== process.pid && (await belongsTo(home, pid))));
  return pids.filter((_pid, index) => found[index]);
}

async function belongsTo(home: string, pid: number): Promise<boolean> {
  try {
    const [folder, environment] = await Promise.all([
      readlink(`/proc/${pid}/cwd`),
      readFile(`/proc/${pid}/environ`, 'utf8'),
    ]);
    const works = folder === home || folder.startsWith(`${home}/`);
    const lives = environment.split('\0').includes(`HOME=${home}`);
    if (!works && !lives) return false;
    // State, parent, group, session, terminal: after the name, which may hold anything. A zombie cannot be ended.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const [state, , , , terminal] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return terminal === '0' && state !== 'Z';
  } catch {
    // It has gone, or is another user's.
    return false;
  }
}
