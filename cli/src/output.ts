import { styleText } from 'node:util';

import { EXIT } from './exit-codes.ts';
import type { Format } from './options.ts';
import { isPrintable, printable, printableLines } from './view/printable.ts';

/** The ways to print a value that are not the same for all values. */
export interface Shapes {
  /** For people; ends in a line feed. */
  table(): string;
  /** What tells each thing from the next. */
  names(): readonly string[];
}

/** Prints a value to stdout as `-o` asks. JSON and YAML mean what the value is, also where characters are escaped. */
export async function show(format: Format, value: unknown, shapes: Shapes): Promise<void> {
  switch (format) {
    case 'table':
      return print(shapes.table());
    case 'json':
      return print(`${printableLines(JSON.stringify(value, undefined, 2))}\n`);
    case 'yaml':
      return print(await yamlOf(value));
    case 'name':
      return print(
        shapes
          .names()
          .map((name) => `${printable(name)}\n`)
          .join(''),
      );
  }
}

/** Writes data to stdout, and resolves when it may be given more. */
export async function print(data: string | Uint8Array): Promise<void> {
  const { stdout } = process;
  if (stdout.listenerCount('error') === 0) stdout.on('error', endWithout);
  if (stdout.write(data)) return;
  await new Promise((resolve) => {
    stdout.once('drain', resolve);
  });
}

/** Ends, as nothing more can be printed. When whoever reads has enough, as `head` has, that is no failure. */
function endWithout(error: Error & { code?: string }): never {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  tell(`millrace: the output cannot be written: ${error.message}`);
  process.exit(EXIT.failure);
}

/** Says something beside the data: progress, hints, warnings. A line on stderr. */
export function tell(text: string): void {
  process.stderr.write(`${printableLines(text)}\n`);
}

/** How text looks on a terminal that has colours. */
export type Style = Parameters<typeof styleText>[0];

/** The text in colours, where stdout is a terminal that has them and NO_COLOR does not forbid it. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

async function yamlOf(value: unknown): Promise<string> {
  const { Document, visit } = await import('yaml');
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, scalar) {
      // Between double quotes, YAML takes the same escapes as JSON.
      if (typeof scalar.value === 'string' && !isPrintable(scalar.value.replaceAll('\n', '')))
        scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return printableLines(document.toString({ lineWidth: 0 }));
}
