import { isDeepStrictEqual } from 'node:util';
import { complaint, show } from './fault.ts';
import type { Complaint } from './fault.ts';
import { join } from './path.ts';

type Annotated = { metadata: { annotations?: Record<string, string> } };

/** A complaint for each field of `spec` that is not as it was. */
export function immutableSpec(before: Record<string, unknown>, after: Record<string, unknown>): Complaint[] {
  return Object.keys({ ...before, ...after })
    .filter((field) => !isDeepStrictEqual(before[field], after[field]))
    .map((field) =>
      changed(join('spec', field), before[field], after[field], 'Immutable fields changed (-old +new): spec'),
    );
}

/** A complaint for each of these fields of `spec` that is not as it was; `text` is how Knative says so of the kind. */
export function immutableFields<Spec extends object>(
  before: Spec,
  after: Spec,
  fields: readonly (keyof Spec & string)[],
  text: string,
): Complaint[] {
  return fields
    .filter((field) => !isDeepStrictEqual(before[field], after[field]))
    .map((field) => changed(join('spec', field), before[field], after[field], text));
}

/** A complaint when the annotation is not as it was. */
export function immutableAnnotation(before: Annotated, after: Annotated, key: string): Complaint[] {
  const [was, is] = [before.metadata.annotations?.[key], after.metadata.annotations?.[key]];
  if (was === is) return [];
  const path = join('metadata.annotations', key);
  return [changed(path, was, is, 'Immutable annotations changed (-old +new): annotations')];
}

/** A complaint when the data of a Secret or ConfigMap that was declared immutable is not as it was; holds no values. */
export function immutableData<Data extends { immutable?: boolean }>(
  before: Data,
  after: Data,
  fields: readonly (keyof Data & string)[],
): Complaint[] {
  if (before.immutable !== true) return [];
  return [...fields, 'immutable' as const]
    .filter((field) => !isDeepStrictEqual(before[field], after[field]))
    .map((field) =>
      complaint(field, 'it unchanged: delete it and create it anew', 'a change', {
        text: 'field is immutable when `immutable` is set',
      }),
    );
}

function changed(path: string, was: unknown, is: unknown, text: string): Complaint {
  return complaint(path, `${show(path, was)} as before (delete it and create it anew to change it)`, show(path, is), {
    text,
  });
}
