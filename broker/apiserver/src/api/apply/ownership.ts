import type { KubernetesObject, ObjectDraft } from '../../objects/object.ts';
import { METADATA_MERGE_KEYS } from '../../registry/metadata-schema.ts';
import type { MergeKeys, ServedKind } from '../../registry/kind.ts';
import { leavesOf } from './field-set.ts';
import { afterUpdate, readManaged, writeManaged } from './managed-fields.ts';
import type { Author, Managed } from './managed-fields.ts';

/** The lists of a kind whose items have owners of their own; every other list has one as a whole. */
export function listKeysOf({ mergeKeys }: ServedKind): MergeKeys {
  return mergeKeys ?? METADATA_MERGE_KEYS;
}

/**
 * The object with who owns which of its fields now. `managed` is what an apply has found; without it the author owns
 * what is not as it was. A request may set `managedFields` itself, as kubectl does when it changes from one way of
 * applying to the other; an empty list forgets all owners.
 */
export function withOwners(
  next: ObjectDraft,
  live: KubernetesObject | undefined,
  kind: ServedKind,
  { author, managed }: { readonly author: Author; readonly managed?: readonly Managed[] | undefined },
): ObjectDraft {
  const keys = listKeysOf(kind);
  const owners =
    managed ??
    afterUpdate(
      live === undefined ? [] : readManaged(next.metadata.managedFields ?? live.metadata.managedFields),
      leavesOf(live ?? {}, keys),
      leavesOf(next, keys),
      author,
    );
  const { managedFields: _, ...metadata } = next.metadata;
  const managedFields = writeManaged(owners) as unknown as ObjectDraft['metadata']['managedFields'];
  return { ...next, metadata: { ...metadata, ...(owners.length > 0 && { managedFields }) } };
}
