import { beyondKnative } from './beyond-knative.ts';
import { complaint, show } from './fault.ts';
import type { Complaint } from './fault.ts';
import { isKind, KINDS } from './kinds.ts';
import { dropServerFields } from './metadata.ts';
import { nearest } from './nearest.ts';
import { steps } from './path.ts';
import type { Path } from './path.ts';
import type { AnyResource } from './any-resource.ts';
import { validate } from './validator.ts';
import type { Assumption, Findings, Mistyped } from './validator.ts';

// Far beyond any real resource; what comes after goes by recursion, and takes quadratic time when all of it is wrong.
const MAX_VALUES = 10_000;
const MAX_DEPTH = 100;

/** What became of a value that asks to be a resource: the resource, or why not. */
export interface Admission {
  /** Complete and frozen; absent when there are complaints. */
  readonly resource?: AnyResource;
  readonly complaints: readonly Complaint[];
  /** Assumptions that were made. */
  readonly receipts: readonly Assumption[];
  /** What was taken as it was said, and Knative refuses. */
  readonly refusals: readonly Complaint[];
}

/**
 * Validates a value (plain JSON: from a file or an API), applies the defaults and freezes the result. The value is not
 * changed. `written` gives the source text of a scalar, so that `version: 1.0` stays `1.0` where a text is wanted.
 * Never throws; tells everything that is wrong, not only the first.
 */
export function admit(value: unknown, written: (path: Path) => string | undefined = () => undefined): Admission {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refusal([complaint('', 'a resource: an object with apiVersion, kind and metadata', show('', value))]);
  }
  if (!isOfRealSize(value)) {
    return refusal([complaint('', `a resource of at most ${MAX_VALUES} values, ${MAX_DEPTH} levels deep`, 'more')]);
  }
  const wrongKind = kindComplaints(value as Record<string, unknown>);
  if (wrongKind.length > 0) return refusal(wrongKind);
  const draft = structuredClone(value) as AnyResource;
  const definition = KINDS[draft.kind];
  let findings = validate(definition, draft);
  const repaired = repair(draft, findings.mistyped, written);
  if (findings.mistyped.length > 0) findings = validate(definition, draft);
  const { receipts, refusals } = isOurs(draft) ? withoutKnative(findings) : findings;
  receipts.unshift(...repaired);
  if (findings.complaints.length > 0) return { complaints: findings.complaints, receipts, refusals };
  refusals.push(...beyondKnative(draft));
  dropServerFields(draft.metadata);
  delete (draft as { status?: unknown }).status;
  definition.complete?.(draft);
  return { resource: freeze(draft), complaints: [], receipts, refusals };
}

function isOfRealSize(value: unknown): boolean {
  let values = 0;
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    values += level.length;
    if (depth > MAX_DEPTH || values > MAX_VALUES) return false;
    level = level.flatMap((inner) => (typeof inner === 'object' && inner !== null ? Object.values(inner) : []));
  }
  return true;
}

function refusal(complaints: Complaint[]): Admission {
  return { complaints, receipts: [], refusals: [] };
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

function isOurs({ apiVersion }: AnyResource): boolean {
  return apiVersion.split('/')[0]!.endsWith('.millrace.dev');
}

/** What Knative would say is not said of a kind that it does not have. */
function withoutKnative({ receipts }: Findings): Pick<Findings, 'receipts' | 'refusals'> {
  const plain = receipts.map(({ path, message, reference }) => ({
    path,
    message,
    ...(reference === undefined ? {} : { reference }),
  }));
  return { receipts: plain, refusals: [] };
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
      const message = `${path} is a ${typeof value}, read as text: quote it to say so`;
      receipts.push({ path, message, refusal: notText(draft as AnyResource, path, value) });
    }
  }
  return receipts;
}

/** As the API server refuses it: by the types of Kubernetes where it has them, else by the schema of the kind. */
function notText({ kind, apiVersion }: AnyResource, path: Path, value: number | boolean): Complaint {
  const sort = typeof value === 'boolean' ? 'boolean' : Number.isInteger(value) ? 'integer' : 'number';
  const [first, second] = steps(path);
  const field = first === 'metadata' ? `ObjectMeta.metadata.${second}` : apiVersion === 'v1' ? `${kind}.${first}` : '';
  const text =
    field === ''
      ? `Invalid value: "${sort}": ${path} in body must be of type string: "${sort}"`
      : `json: cannot unmarshal ${typeof value === 'boolean' ? 'bool' : 'number'} into Go struct field ${field} of type string`;
  return complaint(path, 'a text: quote it', `a ${typeof value}`, { text });
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) freeze(inner);
    Object.freeze(value);
  }
  return value;
}
