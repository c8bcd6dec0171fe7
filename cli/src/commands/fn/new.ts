import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';

import { CommandFailure } from '../../exit-codes.ts';
import { print } from '../../output.ts';
import { programName } from '../../program-name.ts';
import { templateFolder } from '../../templates.ts';
import { printable } from '../../view/printable.ts';

interface NewOptions {
  readonly template: 'ts' | 'js' | 'python' | 'agent';
  readonly dir?: string;
}

/** What a Service may be called (RFC 1035, as Knative has it), and so a host name. */
const NAME = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Stands in the templates for the name of the function. */
const PLACEHOLDER = /__NAME__/g;

/** `millrace fn new`. */
export async function makeNew(name: string, { template, dir = name }: NewOptions): Promise<void> {
  if (!NAME.test(name)) {
    const expected = 'expected a name of at most 63 lower-case letters, digits and -, beginning with a letter';
    throw new CommandFailure('usage', printable(`${expected}, got "${name}"`));
  }
  const folder = resolve(dir);
  const shown = relative(process.cwd(), folder).startsWith('..') ? folder : relative(process.cwd(), folder) || '.';
  await makeFolder(folder, shown);
  const from = templateFolder('fn', template);
  const files = (await readdir(from)).toSorted();
  for (const file of files) {
    const text = await readFile(join(from, file), 'utf8');
    await writeFile(join(folder, file), text.replaceAll(PLACEHOLDER, name));
  }
  const millrace = programName();
  await print(
    [
      ...files.map((file) => `wrote ${join(shown, file)}`),
      '',
      'Next, in one terminal:',
      '',
      `  ${millrace} up -f ${shown}`,
      '',
      'and in another:',
      '',
      `  ${millrace} fn invoke ${name} '${DATA}' -v`,
      `  ${millrace} send --type ${name}.asked --data '${DATA}'`,
      '',
    ]
      .map((line) => `${printable(line)}\n`)
      .join(''),
  );
}

const DATA = '{"name":"Ada"}';

async function makeFolder(folder: string, shown: string): Promise<void> {
  try {
    const made = await mkdir(folder, { recursive: true });
    if (made !== undefined) return;
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    throw new CommandFailure('failure', printable(`the folder ${shown} cannot be made (${code ?? message})`));
  }
  throw new CommandFailure('failure', printable(`${shown} is there already: name another folder with --dir`));
}
