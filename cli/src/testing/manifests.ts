import { runMillrace, spawnMillrace } from './millrace.ts';
import type { Ended, RunningCommand } from './millrace.ts';

/** Manifests for tests of the API, and commands that run against it. */

/** A Broker; `more` goes into its metadata. */
export const broker = (name: string, more = '') => `---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: ${name}${more} }
`;

/** A Trigger of a Broker; `more` goes into its metadata. */
export const triggerOf = (name: string, ofBroker: string, { type = 'a', more = '' } = {}) => `---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: ${name}${more} }
spec:
  broker: ${ofBroker}
  filter: { attributes: { type: ${type} } }
  subscriber: { uri: "http://127.0.0.1:1/" }
`;

/** A Secret with one value. */
export const secret = (name: string, value: string) => `---
apiVersion: v1
kind: Secret
metadata: { name: ${name} }
stringData: { password: ${value}, user: me }
`;

/** Commands against one process. */
export interface Commands {
  /** Runs one to its end. */
  run(line: readonly string[], input?: string): Promise<Ended>;
  /** What it prints when it succeeds; rejects with what it said when it fails. */
  says(line: readonly string[], input?: string): Promise<string>;
  /** Starts one; the caller sees to its end. */
  start(line: readonly string[]): RunningCommand;
}

/** Commands against the process at an admin address. */
export function commandsAt(admin: string): Commands {
  const environment = { MILLRACE_ADMIN: admin, NO_COLOR: '1' };
  const run: Commands['run'] = (line, input) => runMillrace(line, { environment, input });
  return {
    run,
    async says(line, input) {
      const { code, stdout, stderr } = await run(line, input);
      if (code !== 0) throw new Error(`millrace ${line.join(' ')} ended with ${code}: ${stderr}${stdout}`);
      return stdout;
    },
    start: (line) => spawnMillrace(line, environment),
  };
}
