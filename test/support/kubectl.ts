import { execFile, spawnSync } from 'node:child_process';

import { provide } from './component.ts';
import type { Provided } from './component.ts';

/** The command of the real kubectl: that of `MILLRACE_KUBECTL`, else the one on the PATH; or why there is none. */
export function provideKubectl(): Promise<Provided<string>> {
  return provide<string>({
    name: 'kubectl',
    given: () => process.env['MILLRACE_KUBECTL'],
    obstacle: () =>
      spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).error === undefined
        ? undefined
        : 'there is no kubectl on the PATH, and MILLRACE_KUBECTL names none',
    cached: () => 'kubectl',
    fetch: async () => 'kubectl',
  });
}

/** Runs it against a server to its end, with a home of its own; resolves with what it printed, rejects with what it said. */
export function kubectlAt(server: string, home: string, command: string) {
  return (line: readonly string[], input = ''): Promise<string> =>
    new Promise((resolve, reject) => {
      const env = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: '/dev/null' };
      const child = execFile(command, ['--server', server, ...line], { env, timeout: 60_000 }, (error, out, err) => {
        if (error === null) resolve(out);
        else reject(new Error(`kubectl ${line.join(' ')}: ${err}${out}`));
      });
      child.stdin!.end(input);
    });
}
