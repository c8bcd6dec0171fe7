import type { KubernetesObject, ObjectDraft } from '../objects/object.ts';
import type { ServedKind } from '../registry/kind.ts';
import { invalid } from './status.ts';
import type { Refusal } from './status.ts';

/** What is wrong with an object. */
export interface AdmissionFault {
  /** `spec.delivery.retry`; '' for the object itself. */
  readonly path: string;
  /** Never holds what may be secret. */
  readonly message: string;
  /** True when the field is missing. */
  readonly isMissing?: boolean;
}

/** What an admission says of an object: how it is stored, or why it is not. */
export type Verdict =
  | {
      /** With its defaults. Metadata that the server sets, and the status, are those of what was asked about. */
      readonly object: ObjectDraft;
      /** Told to who wrote it. */
      readonly warnings: readonly string[];
    }
  | {
      readonly faults: readonly AdmissionFault[];
      /** Who refuses, for the message; undefined: the API itself. */
      readonly webhook?: string;
    };

/**
 * Decides what may be stored: the only place where an object is held against what it means. Called within the turn in
 * which the object is written, so it must not wait; it must not throw, and not change what it is given.
 */
export interface Admission {
  /** `old` is what is stored now, undefined when there is none. Changes of status alone are not asked about. */
  admit(object: ObjectDraft, old: KubernetesObject | undefined): Verdict;
  /** Why an object may not be deleted by itself, for people; undefined when it may. Default: everything may. */
  admitDeletion?(object: KubernetesObject): string | undefined;
  /** Whether a new object of its name takes the place of a stored one, which nobody has declared. Default: none does. */
  givesWay?(object: KubernetesObject): boolean;
}

/**
 * The refusal of what has faults: 422 `Invalid` with a cause for each, of which kubectl shows every one beside its field.
 * The message is for those who show nothing else, and is what Knative's users know: there the webhook's denial, with
 * 400 and no causes.
 */
export function denied(
  kind: ServedKind,
  name: string,
  { faults, webhook }: Extract<Verdict, { faults: unknown }>,
): Refusal {
  const causes = faults.map(({ path, message, isMissing }) => ({
    reason: isMissing === true ? 'FieldValueRequired' : 'FieldValueInvalid',
    message,
    ...(path !== '' && { field: path }),
  }));
  const told = faults.map(({ path, message }) => (message.includes(path) ? message : `${path}: ${message}`)).join('\n');
  const message =
    webhook === undefined ? undefined : `admission webhook "${webhook}" denied the request: validation failed: ${told}`;
  return invalid(kind, name, causes, message);
}
