import type { PodLogs } from '@millrace/apiserver/api/pod-logs';
import type { FunctionLog, Functions } from '@millrace/functions/functions';

import { podName } from './pod-views.ts';

/** What the instances of functions wrote, by the Pods that they are. */
export function podLogs(functions: Pick<Functions, 'list' | 'logs'>): PodLogs {
  return (namespace, pod) => {
    for (const { name, namespace: own, revisions } of functions.list()) {
      if (own !== namespace) continue;
      const found = revisions
        .flatMap((revision) => revision.members.map(({ id }) => ({ id, pod: podName(revision.name, id) })))
        .find((it) => it.pod === pod);
      const ring = found === undefined ? undefined : functions.logs(name);
      if (found === undefined || ring === undefined) continue;
      const isOf = ({ instance }: FunctionLog): boolean => instance === found.id;
      return {
        lines: () => ring.lines().filter(isOf),
        subscribe: (listener) =>
          ring.subscribe((line) => {
            if (isOf(line)) listener(line);
          }),
      };
    }
    return undefined;
  };
}
