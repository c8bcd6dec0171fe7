import { admit } from '@millrace/resources/admit';
import type { AnyResource } from '@millrace/resources/any-resource';
import { immutableFaults } from '@millrace/resources/changes';
import type { Complaint } from '@millrace/resources/fault';
import { isKind, KINDS } from '@millrace/resources/kinds';
import { steps } from '@millrace/resources/path';
import { secretValues } from '@millrace/resources/secret';
import type { Secret } from '@millrace/resources/secret';

import type { Admission, AdmissionFault } from './admission.ts';
import type { KubernetesObject, ObjectDraft } from '../objects/object.ts';

/**
 * Holds objects against `@millrace/resources`: defaults, Knative's validation, what may not change. Kinds that it does
 * not have pass as they are. `more` finds faults that other parts know of (an expression that does not compile).
 */
export function resourcesAdmission(more: (resource: AnyResource) => readonly Complaint[] = () => []): Admission {
  return {
    admit(object, old) {
      const { apiVersion, kind } = object;
      if (!isKind(kind) || !KINDS[kind].apiVersions.includes(apiVersion)) return { object, warnings: [] };
      const { resource, complaints, receipts, refusals } = admit(plain(object));
      const lost = receipts.flatMap(({ path, refusal }) =>
        refusal !== undefined && isScalar(valueAt(object, path)) ? [refusal] : [],
      );
      const faults = resource === undefined ? complaints : [...lost, ...changes(resource, old), ...more(resource)];
      if (resource === undefined || faults.length > 0) return { faults: faults.map(faultOf), ...webhookOf(apiVersion) };
      const told = [
        ...receipts.map(({ message }) => message),
        ...newRefusals(refusals, old).map(({ path, message }) => `Knative refuses ${path}: ${message}`),
      ];
      return { object: merged(object, resource), warnings: told };
    },
  };
}

/** What was there before is not told again: whoever changes something else may have read it here. */
function newRefusals(refusals: readonly Complaint[], old: KubernetesObject | undefined): readonly Complaint[] {
  if (refusals.length === 0 || old === undefined) return refusals;
  const told = new Set(admit(plain(old)).refusals.map(({ path, message }) => `${path}: ${message}`));
  return refusals.filter(({ path, message }) => !told.has(`${path}: ${message}`));
}

/** Without how its name came about, of which files know nothing. */
function plain(object: ObjectDraft): ObjectDraft {
  const { generateName: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/**
 * A number or a boolean where a text is wanted. Files that we read ourselves tell how it was written; here `1.0` has
 * become 1 and `y` true on the way, so that it cannot be known any more.
 */
function isScalar(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

function valueAt(object: ObjectDraft, path: string): unknown {
  return steps(path).reduce<unknown>((inner, step) => (inner as Record<string, unknown> | undefined)?.[step], object);
}

function changes(resource: AnyResource, old: KubernetesObject | undefined): readonly Complaint[] {
  const before = old === undefined ? undefined : admit(plain(old)).resource;
  return before === undefined ? [] : immutableFaults(before, resource);
}

/** What was said, completed; what the server has set, as it was. */
function merged(object: ObjectDraft, resource: AnyResource): ObjectDraft {
  const said = resource.kind === 'Secret' ? withData(resource) : resource;
  return {
    ...(said as object),
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...object.metadata, ...resource.metadata },
    ...(object['status'] !== undefined && { status: object['status'] }),
  };
}

/** Plain values are for writing only: they are kept as `data`. */
function withData({ stringData, ...secret }: Secret): Omit<Secret, 'stringData'> {
  if (stringData === undefined) return secret;
  const data = { ...secret.data };
  for (const [key, value] of secretValues({ ...secret, data: {}, stringData })) {
    data[key] = Buffer.from(value, 'utf8').toString('base64');
  }
  return { ...secret, data };
}

function faultOf({ path, message, suggestion, got }: Complaint): AdmissionFault {
  return {
    path,
    message: suggestion === undefined ? message : `${message} (did you mean ${suggestion}?)`,
    isMissing: got === 'nothing',
  };
}

/** As whose denial Knative's users know it; nobody's for core kinds. */
function webhookOf(apiVersion: string): { webhook?: string } {
  const group = apiVersion.split('/')[0]!;
  if (group === 'serving.knative.dev') return { webhook: 'validation.webhook.serving.knative.dev' };
  if (group.endsWith('.knative.dev')) return { webhook: 'validation.webhook.eventing.knative.dev' };
  return group.endsWith('.millrace.dev') ? { webhook: 'validation.webhook.millrace.dev' } : {};
}
