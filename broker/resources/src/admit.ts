import { complaint, show } from './fault.ts';
import type { Complaint } from './fault.ts';
import { isKind, KINDS } from './kinds.ts';
import type { KindName } from './kinds.ts';
import { dropServerFields } from './metadata.ts';
import { nearest } from './nearest.ts';
import { steps } from './path.ts';
import type { Path } from './path.ts';
import type { AnyResource } from './resource.ts';
import { makeValidator } from './validator.ts';
import type { Findings, Mistyped, Validator } from './validator.ts';

/** What became of a value that asks to be a resource: the resource, or why not. */
export interface Admission {
  /** Complete and frozen; absent when there are complaints. */
  readonly resource?: AnyResource;
  readonly complaints: readonly Complaint[];
  /** Assumptions that were made. */
  readonly receipts: readonly { path: Path; message: string }[];
}

/** Admits values of any kind. Holds the compiled schemas: make one and keep it. */
export interface Admitter {
  /**
   * Validates a value (plain JSON: from a file or an API), applies the defaults and freezes it. The value is not
   * changed. `written` gives the source text of a scalar, so that `version: 1.0` stays `1.0` where a text is wanted.
   * Never throws; tells everything that is wrong, not only the first.
   */
  admit(value: unknown, written?: (path: Path) => string | undefined): Admission;
}

/** Makes an {@link Admitter}. A schema is compiled when its kind is first seen. */
export function makeAdmitter(): Admitter {
  const validators = new Map<KindName, Validator>();
  const validatorOf = (kind: KindName) => {
    const validator = validators.get(kind) ?? makeValidator(KINDS[kind]);
    validators.set(kind, validator);
    return validator;
  };
  return { admit: (value, written = () => undefined) => admit(value, written, validatorOf) };
}

function admit(
  value: unknown,
  written: (path: Path) => string | undefined,
  validatorOf: (kind: KindName) => Validator,
): Admission {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refusal([complaint('', 'a resource: an object with apiVersion, kind and metadata', show('', value))]);
  }
  const wrongKind = kindComplaints(value as Record<string, unknown>);
  if (wrongKind.length > 0) return refusal(wrongKind);
  const draft = structuredClone(value) as AnyResource;
  const validate = validatorOf(draft.kind);
  let findings = validate(draft);
  const receipts = repair(draft, findings.mistyped, written);
  if (findings.mistyped.length > 0) findings = validate(draft);
  receipts.push(...findings.receipts);
  if (findings.complaints.length > 0) return { complaints: findings.complaints, receipts };
  dropServerFields(draft.metadata);
  delete (draft as { status?: unknown }).status;
  KINDS[draft.kind].complete?.(draft);
  return { resource: freeze(draft), complaints: [], receipts };
}

function refusal(complaints: Complaint[]): Admission {
  return { complaints, receipts: [] };
}

function kindComplaints({ apiVersion, kind }: Record<string, unknown>): Complaint[] {
  const names = Object.keys(KINDS);
  const expectedKind = `one of ${names.join(', ')}`;
  const missing = (field: string, expected: string) =>
    complaint(field, expected, 'nothing', { text: `missing field(s): ${field}` });
  if (kind === undefined || kind === null) {
    const kindless = missing('kind', expectedKind);
    return apiVersion === undefined
      ? [missing('apiVersion', 'a group and version such as "eventing.knative.dev/v1"'), kindless]
      : [kindless];
  }
  if (!isKind(kind)) {
    const suggestion = typeof kind === 'string' ? nearest(kind, names) : undefined;
    return [
      complaint('kind', expectedKind, show('kind', kind), { text: `unknown kind ${show('kind', kind)}`, suggestion }),
    ];
  }
  const versions = KINDS[kind].apiVersions;
  const expected = versions.map((version) => JSON.stringify(version)).join(' or ');
  if (apiVersion === undefined || apiVersion === null) return [missing('apiVersion', expected)];
  if (typeof apiVersion === 'string' && versions.includes(apiVersion)) return [];
  const got = show('apiVersion', apiVersion);
  return [complaint('apiVersion', expected, got, { text: `no ${kind} in ${got}`, suggestion: versions[0] })];
}

/** Makes texts of the numbers and booleans that stand where a text is wanted, and takes out nulls, as Kubernetes does. */
function repair(draft: object, mistyped: readonly Mistyped[], written: (path: Path) => string | undefined) {
  const receipts: Findings['receipts'] = [];
  for (const { path, wanted, value, entry } of mistyped) {
    const way = steps(path);
    const last = way.pop();
    const holder = way.reduce<unknown>((inner, step) => (inner as Record<string, unknown>)[step], draft);
    if (last === undefined || typeof holder !== 'object' || holder === null) continue;
    const fields = holder as Record<string, unknown>;
    if (value === null && !Array.isArray(holder) && !entry) {
      delete fields[last];
    } else if (value === null && entry && wanted === 'string') {
      fields[last] = '';
      receipts.push({ path, message: `${path} is null, read as an empty text` });
    } else if (wanted === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
      fields[last] = written(path) ?? String(value);
      receipts.push({ path, message: `${path} is a ${typeof value}, read as text: quote it to say so` });
    }
  }
  return receipts;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) freeze(inner);
    Object.freeze(value);
  }
  return value;
}
