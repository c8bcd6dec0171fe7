import type { ObjectDraft } from '../objects/object.ts';
import { keyAt } from './addressing.ts';
import { ownPast } from './apply/last-applied.ts';
import { readManaged } from './apply/managed-fields.ts';
import { listKeysOf } from './apply/ownership.ts';
import { applyConflict, serverSideApply } from './apply/server-side-apply.ts';
import { draftOf } from './draft.ts';
import { timestamp } from './environment.ts';
import { recordAt } from './json.ts';
import type { JsonRecord } from './json.ts';
import type { ObjectTarget } from './request-path.ts';
import { badRequest, Refusal } from './status.ts';
import { optionFault } from './write-options.ts';
import type { WriteOptions } from './write-options.ts';
import { create, modify } from './writes.ts';
import type { Wanted, WritePorts, Written } from './writes.ts';

/** Server-side apply: what is not there is created. `isNew` tells. */
export async function apply(
  ports: WritePorts,
  target: ObjectTarget,
  body: JsonRecord,
  options: WriteOptions,
): Promise<Written & { readonly isNew: boolean }> {
  if (!options.isNamed) {
    throw optionFault('fieldManager', 'Required value: is required for apply patch');
  }
  const { managedFields } = recordAt(body, 'metadata');
  if (Array.isArray(managedFields) && managedFields.length > 0) throw badRequest('metadata.managedFields must be nil');
  // Its unknown fields are refused or taken out before anybody owns them.
  const { object, warnings } = draftOf(body, target, options.validation);
  const wish = wishOf(object, target);
  const merge = (live: ObjectDraft) => merged(live, wish, { target, options, now: ports.environment.now() });
  const isThere = () => ports.store.get(keyAt(target)) !== undefined;
  if (!isThere() && target.subresource === '') {
    try {
      const empty: ObjectDraft = { apiVersion: object.apiVersion, kind: object.kind, metadata: {} };
      const written = await create(ports, target, merge(empty), options);
      return { ...written, warnings: [...warnings, ...written.warnings], isNew: true };
    } catch (error) {
      // Somebody else was faster: then it is changed.
      if (!(error instanceof Refusal) || error.status.reason !== 'AlreadyExists') throw error;
    }
  }
  const written = await modify(ports, target, merge, options);
  return { ...written, warnings: [...warnings, ...written.warnings], isNew: false };
}

/** The part of it that this address may change. */
function wishOf(object: ObjectDraft, { kind, subresource, apiVersion }: ObjectTarget): JsonRecord {
  const { status, ...rest }: ObjectDraft = { ...object, apiVersion };
  if (subresource === 'status') {
    const { name, namespace, resourceVersion } = object.metadata;
    const metadata = { name, namespace, ...(resourceVersion !== undefined && { resourceVersion }) };
    return { apiVersion, kind: object.kind, metadata, ...(status !== undefined && { status }) };
  }
  return kind.hasStatus || status === undefined ? rest : { ...rest, status };
}

function merged(
  live: ObjectDraft,
  wish: JsonRecord,
  { target, options, now }: { target: ObjectTarget; options: WriteOptions; now: number },
): Wanted {
  const keys = listKeysOf(target.kind);
  const { manager, force } = options;
  const { apiVersion, subresource } = target;
  const applied = serverSideApply(live, wish, {
    managed: readManaged(live.metadata.managedFields),
    author: { manager, operation: 'Apply', apiVersion, subresource, time: timestamp(now) },
    force,
    keys,
    mayTake: ownPast(live, manager, keys),
  });
  if ('conflicts' in applied) throw applyConflict(applied.conflicts);
  return { value: applied.object, managed: applied.managed };
}
