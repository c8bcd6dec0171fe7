import type { ObjectDraft } from '@millrace/apiserver/objects/object';
import { readDocuments } from '@millrace/resources/document';
import type { Document } from '@millrace/resources/document';
import { complaint, formatFault } from '@millrace/resources/fault';
import type { Fault, Place } from '@millrace/resources/fault';
import { join } from '@millrace/resources/path';
import type { Path } from '@millrace/resources/path';

import { CommandFailure } from '../exit-codes.ts';
import { printable } from '../view/printable.ts';
import type { Discovery } from './discovery.ts';
import { readTexts } from './manifest-files.ts';
import type { Selected } from './selection.ts';

/** An object as a file declares it, and where it is in the API. */
export interface Manifest extends Selected {
  readonly name: string;
  readonly object: ObjectDraft;
  /** Where a field was written; what is not there: what holds it. */
  locate(path: Path): Place;
}

export interface ManifestOptions {
  readonly discovery: Discovery;
  /** Of objects that name none. Those that name another are faults, unless none is given. */
  readonly namespace: string | undefined;
}

/**
 * The objects of files, folders and stdin (`-`), lists taken apart, namespaces before what is in them. Throws a
 * {@link CommandFailure} that lists all faults with file, line and column.
 */
export function readObjects(paths: readonly string[], options: ManifestOptions): Manifest[] {
  const { texts, faults: unreadable } = readTexts(paths);
  const faults: Fault[] = [...unreadable];
  const manifests: Manifest[] = [];
  for (const { file, text } of texts) {
    const read = readDocuments(text, file);
    faults.push(...read.faults);
    for (const document of read.documents) {
      // Between two lines of dashes there may be nothing.
      if (document.value === null) continue;
      for (const { value, path } of objectsIn(document.value)) {
        const manifest = manifestOf(value, within(document, path), options);
        if ('fault' in manifest) faults.push(manifest.fault);
        else manifests.push(manifest);
      }
    }
  }
  if (faults.length > 0) {
    const many = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
    const lines = faults.map((fault) => `  ${printable(formatFault(fault))}`);
    throw new CommandFailure('invalid', `${many} in the manifests; nothing was done:\n${lines.join('\n')}`);
  }
  if (manifests.length === 0) {
    throw new CommandFailure('usage', printable(`there are no objects in ${paths.join(', ')}`));
  }
  return manifests.toSorted(
    (one, other) => Number(other.type.kind === 'Namespace') - Number(one.type.kind === 'Namespace'),
  );
}

/** The objects of a document: itself, or the items of a list. */
function objectsIn(value: unknown): { value: unknown; path: Path }[] {
  const { kind, items } = value as { kind?: unknown; items?: unknown };
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [{ value, path: '' }];
  return items.map((item, index) => ({ value: item as unknown, path: join('items', index) }));
}

function within(document: Document, path: Path): Manifest['locate'] {
  if (path === '') return (inner) => document.locate(inner);
  return (inner) => document.locate(inner === '' ? path : inner.startsWith('[') ? path + inner : `${path}.${inner}`);
}

function manifestOf(
  value: unknown,
  locate: Manifest['locate'],
  { discovery, namespace: wanted }: ManifestOptions,
): Manifest | { readonly fault: Fault } {
  const refuse = (path: Path, expected: string, got: string, suggestion?: string) => ({
    fault: { place: locate(path), ...complaint(path, expected, got, { suggestion }) },
  });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse('', 'an object with apiVersion, kind and metadata', Array.isArray(value) ? 'a list' : typeof value);
  }
  const { apiVersion, kind, metadata } = value as Record<string, unknown>;
  if (typeof apiVersion !== 'string') return refuse('', 'an apiVersion such as eventing.knative.dev/v1', 'none');
  if (typeof kind !== 'string') return refuse('', 'a kind such as Trigger', 'none');
  const type = discovery.find(apiVersion, kind);
  if (type === undefined) {
    const got = `${apiVersion} ${kind}`;
    return refuse('kind', 'a kind that the server serves', got, discovery.suggest(apiVersion, kind));
  }
  const { name, namespace } = (metadata ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || name === '') return refuse('metadata', 'a metadata.name', 'none');
  if (!type.namespaced) return { type, name, namespace: undefined, object: value as ObjectDraft, locate };
  if (namespace !== undefined && typeof namespace !== 'string') {
    return refuse('metadata.namespace', 'a text', typeof namespace);
  }
  if (namespace !== undefined && wanted !== undefined && namespace !== wanted) {
    return refuse('metadata.namespace', `the namespace "${wanted}" of -n, or none`, `"${namespace}"`);
  }
  return { type, name, namespace: namespace ?? wanted ?? 'default', object: value as ObjectDraft, locate };
}
