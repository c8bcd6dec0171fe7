import { makeEvent } from '@millrace/event/event';
import { compileFilter } from '@millrace/bus/filter/filter';

import { alone, median } from './measure.ts';
import type { Row } from './measure.ts';

const EVALUATIONS = 1_000_000;
const ROUNDS = 5;

const EXPRESSIONS = {
  'two comparisons': "type = 'com.example.bench' AND source = '/bench'",
  'a LIKE': "subject LIKE '%/orders/_%'",
  'casts and a function': "EXISTS priority AND INT(priority) > 3 OR LOWER(type) = 'x'",
};

const event = makeEvent(
  { specversion: '1.0', id: '1', source: '/bench', type: 'com.example.bench', subject: '/shop/orders/17', priority: 5 },
  undefined,
);

/** What one evaluation of a CESQL filter costs, compiled, by an expression of each sort. */
export function cesqlBench(): Row[] {
  return Object.entries(EXPRESSIONS).map(([name, cesql]) => {
    const filter = compileFilter({ cesql });
    const times = Array.from({ length: ROUNDS + 1 }, () => {
      const before = process.hrtime.bigint();
      let passed = 0;
      for (let index = 0; index < EVALUATIONS; index += 1) if (filter(event)) passed += 1;
      const micros = Number(process.hrtime.bigint() - before) / 1_000 / EVALUATIONS;
      if (passed !== EVALUATIONS) throw new Error(`${name}: expected to pass`);
      return micros;
    });
    return alone(`CESQL, ${name}, per evaluation`, median(times.slice(1)), 'us');
  });
}
