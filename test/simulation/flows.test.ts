import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { saidSeed } from '../support/chance.ts';
import { flowScenarios } from './flows-scenario.ts';
import type { FlowScenario, Kinds } from './flows-scenario.ts';
import { simulateFlows } from './flows-simulation.ts';

// A failure prints the smallest scenario that fails; MILLRACE_SEED repeats the run. CI always takes the same scenarios, so
// that a change is judged by what it changes; everywhere else each run looks at others.
const inCi = process.env['CI'] === 'true';
const seed = (saidSeed() ?? (inCi ? 1 : Date.now() % 2 ** 31)) | 0;
const runs = inCi ? 250 : 100;

describe('flows, whatever happens', () => {
  const cases: readonly [what: string, kinds: Kinds][] = [
    ['give what they say, when the process ends only with a drain', { crashes: false, edits: false }],
    ['give what they say and nothing twice, when the process crashes', { crashes: true, edits: false }],
    ['lose nothing, when they are edited with events inside', { crashes: false, edits: true }],
    ['lose nothing, when they are edited and the process crashes', { crashes: true, edits: true }],
  ];
  for (const [index, [what, kinds]] of cases.entries()) {
    test(what, async (context) => {
      context.diagnostic(`MILLRACE_SEED=${seed}`);
      const property = fc.asyncProperty(flowScenarios(kinds), run);
      await fc.assert(property, { seed: seed + index, numRuns: runs });
    });
  }
});

async function run(scenario: FlowScenario): Promise<void> {
  await simulateFlows(scenario);
}
