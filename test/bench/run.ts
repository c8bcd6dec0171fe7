// Every benchmark, each figure beside its limit. `-- --json FILE` writes the rows; `-- --only NAME` runs one.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import type { Row } from './measure.ts';

const { values } = parseArgs({ options: { json: { type: 'string' }, only: { type: 'string' } } });

const benches: Record<string, () => Promise<Row[]>> = {
  path: async () => (await import('./path.bench.ts')).pathBench(),
  cesql: async () => (await import('./cesql.bench.ts')).cesqlBench(),
  flows: async () => (await import('./flows.bench.ts')).flowsBench(),
  functions: async () => (await import('./functions.bench.ts')).functionsBench(),
  objects: async () => (await import('./objects.bench.ts')).objectsBench(),
  backlog: async () => (await import('./backlog.bench.ts')).backlogBench(),
};

const rows: Row[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (values.only !== undefined && values.only !== name) continue;
  for (const row of await bench()) {
    rows.push(row);
    process.stdout.write(`${lineOf(row)}\n`);
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);

function lineOf({ name, value, unit, limit, ratio, target, ok }: Row): string {
  const shown = (figure: number) => figure.toLocaleString('en', { maximumFractionDigits: figure < 10 ? 2 : 0 });
  const beside = limit === null ? '' : `   limit ${shown(limit)}   ratio ${ratio!.toFixed(2)}`;
  const wanted = target === null ? '' : `   target ${target}   ${ok ? 'ok' : 'MISSED'}`;
  return `${name.padEnd(52)} ${shown(value).padStart(8)} ${unit}${beside}${wanted}`;
}
