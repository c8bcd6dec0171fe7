import type { ApiRefusal } from '../api-client.ts';
import { printable } from '../view/printable.ts';
import type { Manifest } from './manifests.ts';
import { selectedText } from './selection.ts';

/** Why the server refused a manifest: a line for each cause, with the place in the file that it is about. */
export function refusalLines(manifest: Manifest, refusal: ApiRefusal): string[] {
  const about = selectedText(manifest);
  return causesOf(refusal).map(({ field, message }) => {
    const { file, line, column } = manifest.locate(field.replace(/^\./, ''));
    const where = field === '' || message.includes(field) ? '' : `${field.replace(/^\./, '')}: `;
    return printable(`${file}:${line}:${column} ${about}: ${where}${message}`);
  });
}

interface Cause {
  /** The empty path is the object itself. */
  readonly field: string;
  readonly message: string;
}

function causesOf({ status }: ApiRefusal): Cause[] {
  const { details, message = 'refused', reason } = status;
  const causes = (details?.causes ?? []).map((cause) => ({ field: cause.field ?? '', message: cause.message }));
  if (causes.length > 0) return reason === 'Conflict' ? causes.map(withAdvice) : causes;
  // Fields that a kind does not have are told in one text, which has no causes.
  const unknown = [...message.matchAll(/(?:unknown|duplicate) field "((?:[^"\\]|\\.)*)"(?: \(did you mean [^)]*\))?/g)];
  if (unknown.length > 0) return unknown.map(([text, field = '']) => ({ field, message: text }));
  return [{ field: '', message }];
}

function withAdvice({ field, message }: Cause): Cause {
  return { field, message: `${field}: ${message}; leave it out, or take it over with --force-conflicts` };
}
