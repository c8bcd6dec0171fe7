import type { WebAnswer, WebCall } from '@millrace/event/web';
import type { Dispatcher } from 'undici';

import { NotTaken } from '../runtime.ts';

/** One exchange with a program that speaks HTTP. Rejects with {@link NotTaken} when no connection came about. */
export async function exchange(server: Dispatcher, call: WebCall): Promise<WebAnswer> {
  try {
    const { statusCode, headers, body } = await server.request({
      path: call.path,
      method: call.method,
      headers: call.rawHeaders as string[],
      body: call.body ?? null,
      signal: call.signal,
      responseHeaders: 'raw',
    });
    return { status: statusCode, rawHeaders: headers as unknown as string[], body };
  } catch (error) {
    throw isRefusedConnection(error) ? new NotTaken('no connection', { cause: error }) : error;
  }
}

function isRefusedConnection(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'UND_ERR_CONNECT_TIMEOUT';
}
