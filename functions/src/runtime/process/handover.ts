import { PassThrough, pipeline } from 'node:stream';
import type { Readable } from 'node:stream';

import type { Launched } from './launcher.ts';
import type { Specialised } from './worker.ts';

/** Hands an order to a worker that may just have died; if it has, the order is launched anew, and nobody notices. */
export function handOver(worker: Specialised, launchAnew: () => Launched): Launched {
  let current: Launched = worker;
  let isEnding = false;
  const settled = worker.taken.then((isTaken) => {
    if (!isTaken && !isEnding) current = launchAnew();
    return current;
  });
  return {
    stdout: outputOf(settled, 'stdout'),
    stderr: outputOf(settled, 'stderr'),
    told: settled.then(
      (launched) => launched.told,
      () => undefined,
    ),
    exit: settled.then(
      (launched) => launched.exit,
      (error: Error) => error,
    ),
    notes: worker.notes,
    signal(name) {
      isEnding = true;
      current.signal(name);
    },
  };
}

/** What the one who took the order writes; ending it ends that one's, too. */
function outputOf(settled: Promise<Launched>, name: 'stdout' | 'stderr'): Readable {
  const output = new PassThrough();
  settled.then(
    (launched) => pipeline(launched[name], output, () => {}),
    () => output.destroy(),
  );
  return output;
}
