import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';

import type { Handler } from '@millrace/event/handler';
import { headerOf } from '@millrace/event/web';
import type { WebAnswer } from '@millrace/event/web';

import type { FunctionLog } from '../function-log.ts';
import { handlerOf } from '../test-support.ts';
import { WORKLOAD_DEFAULTS } from '../workload.ts';
import type { Code, Workload } from '../workload.ts';
import { processRuntime } from './process/process.ts';
import type { Instance } from './runtime.ts';

/** A plain HTTP request of a test. */
export interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: WebCallBody;
  readonly signal?: AbortSignal;
}
type WebCallBody = Parameters<Instance['call']>[0]['body'];

/** An instance on the workbench. */
export interface Piece extends Instance {
  readonly handler: Handler;
  /** One exchange, its body as it comes. */
  ask(ask?: Ask): Promise<WebAnswer>;
  /** One exchange, read to its end. */
  tell(
    ask?: Ask,
  ): Promise<{ status: number; type: string | undefined; text: string; header(name: string): string | undefined }>;
}

/** A folder for code, a runtime that runs it, and the lines that it wrote. */
export function openWorkbench(runtime = processRuntime()) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-workbench-'));
  const lines: FunctionLog[] = [];
  let files = 0;
  const begin = (code: Code, changes: Partial<Workload> = {}): Piece => {
    const workload: Workload = { ...WORKLOAD_DEFAULTS, name: 'default/under-test', code, ...changes };
    const instance = runtime.start(workload, (line) => lines.push(line));
    const ask = ({ method = 'POST', path = '/', headers = {}, body, signal }: Ask = {}): Promise<WebAnswer> =>
      instance.call({
        method,
        path,
        rawHeaders: Object.entries(headers).flat(),
        body,
        signal: signal ?? new AbortController().signal,
      });
    return Object.assign(instance, {
      handler: handlerOf(instance, workload),
      ask,
      async tell(given?: Ask) {
        const { status, rawHeaders, body } = await ask(given);
        const header = (name: string): string | undefined => headerOf(rawHeaders, name);
        return { status, type: header('content-type'), text: await text(body), header };
      },
    });
  };
  return {
    folder,
    lines,
    runtime,
    /** Writes a file into the folder; gives its path. */
    write(path: string, content: string, mode = 0o644): string {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content, { mode });
      return file;
    },
    begin,
    /** Begins this code of Node's and waits until it is ready. */
    async node(code: string, options: { name?: string } & Partial<Workload> = {}): Promise<Piece> {
      const { name = `code-${(files += 1)}.mjs`, ...changes } = options;
      const piece = begin({ language: 'node', file: this.write(name, code) }, changes);
      await piece.ready;
      return piece;
    },
    async close(): Promise<void> {
      await runtime.close();
      rmSync(folder, { recursive: true });
    },
  };
}
