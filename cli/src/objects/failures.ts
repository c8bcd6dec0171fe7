import { ApiRefusal } from '../api-client.ts';
import { CommandFailure, EXIT } from '../exit-codes.ts';
import type { Manifest } from './manifests.ts';
import { refusalLines } from './refusals.ts';

/** What the server has against a manifest, as lines with places. Rethrows what is no refusal: nobody is there any more. */
export function refused(manifest: Manifest, error: unknown): CommandFailure {
  if (!(error instanceof ApiRefusal)) throw error;
  return withCode(
    error,
    refusalLines(manifest, error)
      .map((line) => `  ${line}`)
      .join('\n'),
  );
}

/** One failure of several, with the exit code of the first. */
export function summaryOf(failures: readonly CommandFailure[], summary: string): CommandFailure {
  return withCode(failures[0]!, [`${summary}:`, ...failures.map(({ message }) => message)].join('\n'));
}

/** Several failures as one, with the exit code of the first. */
export function together(failures: readonly CommandFailure[]): CommandFailure {
  return withCode(failures[0]!, failures.map(({ message }) => message).join('\n'));
}

function withCode({ exitCode }: CommandFailure, message: string): CommandFailure {
  const kind = (Object.keys(EXIT) as (keyof typeof EXIT)[]).find((it) => EXIT[it] === exitCode) ?? 'failure';
  return new CommandFailure(kind, message);
}
