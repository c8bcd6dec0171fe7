import { DNS_LABEL, DNS_SUBDOMAIN } from '@millrace/resources/name';

import type { KubernetesObject, ObjectDraft, ObjectKey } from '../objects/object.ts';
import type { ServedKind } from '../registry/kind.ts';
import { conversionFor } from './addressing.ts';
import { isRecord } from './json.ts';
import type { JsonRecord } from './json.ts';
import type { ObjectTarget } from './request-path.ts';
import { badRequest, conflict, invalid } from './status.ts';
import { pruneUnknown, tellUnknown } from './unknown-fields.ts';
import type { WriteOptions } from './write-options.ts';

/** An object as a request brings it, and what was odd about it. */
export interface Draft {
  readonly object: ObjectDraft;
  readonly warnings: readonly string[];
}

/**
 * Holds what a request brings against its address and the fields of its kind. Throws a Refusal where they differ; with
 * Strict also for unknown fields, which are taken out otherwise. The result is a copy, in the version that is stored.
 */
export function draftOf(value: unknown, target: ObjectTarget, validation: WriteOptions['validation']): Draft {
  const { kind, apiVersion } = target;
  if (!isRecord(value)) throw badRequest(`expected a ${kind.kind}: an object`);
  expectSame('API version', value['apiVersion'], apiVersion);
  expectSame('kind', value['kind'], kind.kind);
  const copy = structuredClone(value);
  const metadata = (copy['metadata'] ??= {});
  if (!isRecord(metadata)) throw notReadable(target, 'metadata is no object');
  dropNulls(metadata);
  const unknown = pruneUnknown(copy, kind.schema).map(tellUnknown);
  if (unknown.length > 0 && validation === 'Strict') {
    throw notReadable(target, `strict decoding error: ${unknown.join(', ')}`);
  }
  requireTexts(metadata, target);
  addressed(metadata, target);
  convert(copy, target);
  const object = { ...copy, apiVersion: storedVersion(kind), kind: kind.kind, metadata } as ObjectDraft;
  return { object, warnings: validation === 'Warn' ? unknown : [] };
}

/** What a version says in its own way is stored as all others say it. */
function convert(copy: JsonRecord, target: ObjectTarget): void {
  const conversion = conversionFor(target);
  if (conversion === undefined || !isRecord(copy['spec'])) return;
  try {
    copy['spec'] = conversion.toStored(copy['spec']);
  } catch (error) {
    throw notReadable(target, (error as Error).message);
  }
}

/** In JSON of Go a null is what is not there. */
function dropNulls(metadata: JsonRecord): void {
  for (const [field, value] of Object.entries(metadata)) if (value === null) delete metadata[field];
}

function expectSame(what: string, got: unknown, expected: string): void {
  if (got === undefined || got === expected) return;
  const said = typeof got === 'string' ? got : JSON.stringify(got);
  throw badRequest(`the ${what} in the data (${said}) does not match the expected ${what} (${expected})`);
}

function notReadable({ kind, apiVersion }: ObjectTarget, why: string) {
  const version = apiVersion.split('/').at(-1);
  return badRequest(`${kind.kind} in version "${version}" cannot be handled as a ${kind.kind}: ${why}`);
}

const SHAPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  name: (value) => typeof value === 'string',
  generateName: (value) => typeof value === 'string',
  namespace: (value) => typeof value === 'string',
  resourceVersion: (value) => typeof value === 'string',
  uid: (value) => typeof value === 'string',
  labels: isTexts,
  annotations: isTexts,
  finalizers: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  ownerReferences: (value) =>
    Array.isArray(value) && value.every((item) => isRecord(item) && typeof item['uid'] === 'string'),
  managedFields: (value) => Array.isArray(value) && value.every(isRecord),
};

/** What the API itself works with has the types that it works with. */
function requireTexts(metadata: JsonRecord, target: ObjectTarget): void {
  for (const [field, isRight] of Object.entries(SHAPES)) {
    if (metadata[field] !== undefined && !isRight(metadata[field])) {
      throw notReadable(target, `metadata.${field} is not of the type that it should be`);
    }
  }
}

function isTexts(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((text) => typeof text === 'string');
}

/** The name and namespace are those of the address; what the address says may be left out. */
function addressed(metadata: JsonRecord, { name, namespace, kind }: ObjectTarget): void {
  if (name !== undefined && (metadata['name'] ?? '') !== '' && metadata['name'] !== name) {
    throw badRequest(
      `the name of the object (${String(metadata['name'])}) does not match the name on the URL (${name})`,
    );
  }
  if (name !== undefined) metadata['name'] = name;
  if (namespace === undefined && !kind.namespaced) {
    delete metadata['namespace'];
    return;
  }
  if ((metadata['namespace'] ?? '') !== '' && metadata['namespace'] !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  metadata['namespace'] = namespace;
}

/** The version in which objects of the kind are stored, with its group. */
export function storedVersion({ group, storage }: ServedKind): string {
  return group === '' ? storage : `${group}/${storage}`;
}

const LABEL = new RegExp(DNS_LABEL);
const SUBDOMAIN = new RegExp(DNS_SUBDOMAIN);

/** The key of a draft. Throws a Refusal for a name that none can have. */
export function keyOf({ metadata }: ObjectDraft, kind: ServedKind): ObjectKey {
  const { name = '', namespace = '' } = metadata;
  const refuse = (reason: string, message: string) =>
    invalid(kind, name, [{ reason, message, field: 'metadata.name' }]);
  if (name === '') throw refuse('FieldValueRequired', 'Required value: name or generateName is required');
  const isLabel = kind.group === '' && kind.kind === 'Namespace';
  if (isLabel ? !LABEL.test(name) : !SUBDOMAIN.test(name) || name.length > 253) {
    const what = isLabel ? 'label' : 'subdomain';
    const rule = `a lowercase RFC 1123 ${what} must consist of lower case alphanumeric characters, '-'${isLabel ? '' : " or '.'"}, and must start and end with an alphanumeric character`;
    throw refuse('FieldValueInvalid', `Invalid value: ${JSON.stringify(name)}: ${rule}`);
  }
  return { group: kind.group, kind: kind.kind, namespace, name };
}

/** Throws a Refusal when the draft was made from another object, or another version of it, than the live one. */
export function expectLive(draft: ObjectDraft, live: KubernetesObject, kind: ServedKind): void {
  const { uid, resourceVersion } = draft.metadata;
  const { name } = live.metadata;
  if (uid !== undefined && uid !== '' && uid !== live.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`;
    throw conflict(kind, name, why);
  }
  const isOther = resourceVersion !== undefined && resourceVersion !== '';
  if (isOther && resourceVersion !== live.metadata.resourceVersion) throw conflict(kind, name);
}
