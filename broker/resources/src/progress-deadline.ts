import { parseGoDuration } from './duration.ts';
import { complaint, show } from './fault.ts';
import { join } from './path.ts';
import type { Rule } from './schema.ts';

const ANNOTATION = 'serving.knative.dev/progress-deadline';

/** The annotation of a revision that says how long an instance may take to become ready. */
export const progressDeadlineRule: Rule<Record<string, unknown>> = (annotations, path, tell) => {
  const text = annotations[ANNOTATION];
  if (typeof text !== 'string' || readDeadline(text) !== undefined) return;
  const at = join(path, ANNOTATION);
  const invalid = { text: `invalid value: ${show(at, text)}` };
  tell.fault(complaint(at, 'a duration of whole seconds, more than zero, such as "600s"', show(at, text), invalid));
};

/** What it says, in milliseconds; undefined without it. */
export function progressDeadlineOf(annotations: Readonly<Record<string, string>> | undefined): number | undefined {
  const text = annotations?.[ANNOTATION];
  return text === undefined ? undefined : readDeadline(text);
}

function readDeadline(text: string): number | undefined {
  const ms = parseGoDuration(text);
  return ms !== undefined && ms > 0 && ms % 1000 === 0 ? ms : undefined;
}
