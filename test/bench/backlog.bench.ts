import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeEvent } from '@millrace/event/event';
import { openSqliteStore } from '@millrace/bus/log/sqlite/store';

import { startMillrace } from '../support/process.ts';
import { startSubscriber } from '../support/subscriber.ts';
import { alone } from './measure.ts';
import type { Row } from './measure.ts';

const ENTRIES = Number(process.env['MILLRACE_BENCH_BACKLOG'] ?? 1_000_000);
const AT_ONCE = 2_000;
const TOPIC = 'broker/default/default';
const ROUTE = 'trigger/default/slow';

/** A million events wait for a route whose subscriber takes its time: how soon it is up, and in how much memory. */
export async function backlogBench(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  await using subscriber = await startSubscriber(async () => {
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    return {};
  });
  try {
    await fill(folder);
    const manifest = join(folder, 'flow.yaml');
    writeFileSync(
      manifest,
      `apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: { name: slow }\nspec: { broker: default, subscriber: { uri: "${subscriber.url}" } }\n`,
    );
    const before = performance.now();
    await using millrace = await startMillrace({ data: folder, manifests: [manifest] });
    const ready = performance.now() - before;
    await subscriber.count(5_000);
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${millrace.pid}/status`, 'utf8'))![1]) / 1_024;
    await millrace.kill();
    const entries = ENTRIES.toLocaleString('en');
    return [
      alone(`up with ${entries} events waiting, node's own start included`, ready, 'ms', 2_000),
      alone(`peak memory after 5,000 of ${entries} were delivered`, peak, 'MB', 300),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fill(folder: string): Promise<void> {
  const store = await openSqliteStore(folder);
  const data = Buffer.from(JSON.stringify({ text: 'x'.repeat(1_013) }));
  const event = makeEvent(
    { specversion: '1.0', id: '1', source: '/bench', type: 'com.example.bench', datacontenttype: 'application/json' },
    data,
  );
  await store.progress.save([{ route: ROUTE, position: 0 }]);
  for (let count = 0; count < ENTRIES; count += AT_ONCE) {
    await store.log.append(
      Array.from({ length: AT_ONCE }, () => ({ topic: TOPIC, event, arrivedAt: Date.now(), hops: 0 })),
    );
  }
  await store.close();
}
