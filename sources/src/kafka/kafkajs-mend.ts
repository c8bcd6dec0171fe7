// oxlint-disable-next-line typescript/triple-slash-reference -- so that whoever imports this file finds the types too
/// <reference path="./kafkajs-inner.d.ts" />
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

import kafkajs from 'kafkajs';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

/** What we touch of kafkajs' request queue, one of which stands before every connection. */
export interface RequestQueueState {
  readonly pending: readonly unknown[];
  /** Milliseconds since 1970. */
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

/**
 * Mends two things in kafkajs 2.2.4, which has no releases any more. Idempotent.
 *
 * Its request queue asks itself for pending requests every millisecond, also when there are none (tulios/kafkajs#1751):
 * 3-4 % of a core for an idle connection, and a TimeoutNegativeWarning from Node 24. It now asks only while something
 * waits or is throttled; a request that comes later schedules its own check.
 *
 * It cannot read zstd, which Node can. Snappy and LZ4 it still cannot.
 */
export function mendKafkajs(): void {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => zstdCompressSync(buffer),
    decompress: async (buffer: Buffer) => zstdDecompressSync(buffer),
  });
  const queue = RequestQueue.prototype as RequestQueueState & { [MENDED]?: true };
  if (queue[MENDED]) return;
  // oxlint-disable-next-line typescript/unbound-method -- it is called on the queue that it is asked of
  const schedule = queue.scheduleCheckPendingRequests;
  queue.scheduleCheckPendingRequests = function (this: RequestQueueState) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
  queue[MENDED] = true;
}

// Registered, because a second copy of this file may have mended the same library.
const MENDED = Symbol.for('millrace.kafkajs.mended');
