import type { Headers } from '@millrace/event/handler';

/**
 * Headers of an entry that only the bus reads: how a call came (with its headers, so with credentials), and what the
 * function answered. They are never shown, never sent, and nobody outside can set them.
 */
export const CALL_HEADER = 'millrace-call';
export const ANSWER_HEADER = 'millrace-answer';
/** Which item of a list an entry is, from 0. */
export const ITEM_HEADER = 'millrace-item';

/** The headers that anybody may see and that go on to a reply. The same object when there are no others. */
export function withoutPrivate(headers: Headers | undefined): Headers | undefined {
  if (headers === undefined) return headers;
  if (!(CALL_HEADER in headers || ANSWER_HEADER in headers || ITEM_HEADER in headers)) return headers;
  const { [CALL_HEADER]: _call, [ANSWER_HEADER]: _answer, [ITEM_HEADER]: _item, ...others } = headers;
  return others;
}
