import { fork } from 'node:child_process';

import type { Load } from './load.ts';

export type SubjectKind = 'door' | 'append' | 'send' | 'bus';
export const EVENTS = 20_000;
export const CONNECTIONS = 64;
/** Bytes of data of each event. */
export const SIZE = 1_024;

/** What is measured, in a process of its own, so that neither code nor memory of another makes it slower. */
export interface Subject extends AsyncDisposable {
  /** Microseconds of CPU for each event. */
  measure(mode: 'binary' | 'structured'): Promise<number>;
}

/** Starts a subject; a bus with so many triggers, of which one wants the events. */
export async function startSubject(kind: SubjectKind, load: Load, triggers = 1): Promise<Subject> {
  const child = fork(new URL('./subject-process.ts', import.meta.url), { stdio: 'inherit' });
  const ask = <T>(message: object): Promise<T> =>
    new Promise((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`${kind} ended with ${code}`));
      child.once('message', (answer) => {
        child.off('exit', ended);
        resolve(answer as T);
      });
      child.once('exit', ended);
      child.send(message);
    });
  const url = await ask<string>({ kind, subscriberUrl: load.subscriberUrl, triggers });
  const isFed = kind === 'door' || kind === 'bus';
  return {
    async measure(mode) {
      await ask({ begin: true });
      if (isFed) {
        const accepted = await load.post({ url, count: EVENTS, connections: CONNECTIONS, mode, size: SIZE });
        if (accepted !== EVENTS) throw new Error(`${EVENTS - accepted} events were not accepted`);
      }
      if (kind === 'bus') await load.delivered(EVENTS);
      const cpu = await ask<number>({ end: true });
      // What the sending subject delivered is not to be counted for the next.
      if (kind === 'send') await load.delivered(EVENTS);
      return cpu;
    },
    async [Symbol.asyncDispose]() {
      const exited = new Promise((resolve) => {
        child.once('exit', resolve);
      });
      child.send({ close: true });
      await exited;
    },
  };
}
