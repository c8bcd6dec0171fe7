import { spawnSync } from 'node:child_process';

/**
 * Why tests of this kind cannot run on this machine, for `skip`; false when they can. With `CI=true` it throws instead:
 * there, what could run must run.
 */
export function obstacle(reason: string | undefined): string | false {
  if (reason === undefined) return false;
  if (process.env['CI'] === 'true') throw new Error(`${reason} (with CI=true that is a failure)`);
  return reason;
}

/** Why strace cannot watch processes here, or undefined. */
export function withoutStrace(): string | undefined {
  if (process.platform !== 'linux') return 'strace is of Linux';
  const { error, status, stderr } = spawnSync('strace', ['-f', '-o', '/dev/null', 'true'], { encoding: 'utf8' });
  if (error !== undefined) return 'there is no strace: apt-get install strace';
  return status === 0 ? undefined : `strace may not watch processes here: ${stderr.trim()}`;
}
