import { createInterface } from 'node:readline';

import { CommandFailure } from './exit-codes.ts';

/**
 * Asks on the terminal before something that touches everything; resolves when the answer is yes. Rejects with a
 * {@link CommandFailure} when it is not, and where nobody can be asked: then it says what to add.
 */
export async function confirm(question: string): Promise<void> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY) {
    throw new CommandFailure('usage', `${question} Nobody can be asked here: add --yes to do it`);
  }
  stderr.write(`${question} [y/N] `);
  // Not as a terminal of its own: so Ctrl-C stays a signal.
  const lines = createInterface({ input: stdin, terminal: false });
  const answer = await new Promise<string>((resolve) => {
    lines.once('line', resolve);
    lines.once('close', () => resolve(''));
  });
  lines.close();
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new CommandFailure('failure', 'not confirmed: nothing was done');
}
