import { admit } from './admit.ts';
import { readDocuments } from './document.ts';
import type { Document } from './document.ts';
import { complaint, show } from './fault.ts';
import type { Complaint, Fault, Place, Receipt } from './fault.ts';
import { join } from './path.ts';
import type { Path } from './path.ts';
import { keyOf } from './resource.ts';
import type { AnyResource } from './any-resource.ts';

export { formatFault } from './fault.ts';
export type { Fault, Place, Receipt } from './fault.ts';

/** A resource and where it was declared. */
export interface Declared {
  /** With its defaults, frozen. */
  readonly resource: AnyResource;
  readonly place: Place;
  /** Where a path of it (`spec.filters[0].cesql`) was written; for what was not, where that would stand. */
  locate(path: Path): Place;
}

/** All that was said in a file or a folder, and all that was wrong with it. */
export interface Manifest {
  readonly declared: Declared[];
  readonly faults: Fault[];
  readonly receipts: Receipt[];
  /** What Knative (or Kubernetes) refuses and we take: faults for who wants to be as strict. */
  readonly refusals: Fault[];
}

const NO_RESOURCE = 'no resource in this document';

/**
 * Reads the resources of a YAML or JSON text: several documents, and `kind: List`. `file` is for the places. Never
 * throws, and tells all faults; a resource with a fault is not among the declared. A document that holds no resource
 * (a comment, a word, prose) is a receipt.
 */
export function readManifest(text: string, file: string): Manifest {
  return readManifests([{ text, file }]);
}

/** The same for several files, in their order; what is declared twice is a fault wherever the two stand. */
export function readManifests(files: Iterable<{ text: string; file: string }>): Manifest {
  const manifest: Manifest = { declared: [], faults: [], receipts: [], refusals: [] };
  const places = new Map<string, Place>();
  for (const { text, file } of files) {
    const { documents, faults } = readDocuments(text, file);
    for (const fault of faults) manifest.faults.push(fault);
    if (documents.length === 0 && faults.length === 0) {
      manifest.receipts.push({ place: { file, line: 1, column: 1 }, resource: '', path: '', message: NO_RESOURCE });
    }
    for (const document of documents) {
      for (const item of itemsOf(document)) declare(item, places, manifest);
    }
  }
  return manifest;
}

/** One value of a document that should be a resource, and the path at which it stands there. */
interface Item {
  readonly document: Document;
  readonly value: unknown;
  readonly at: Path;
}

function itemsOf(document: Document): Item[] {
  const list = document.value as { apiVersion?: unknown; kind?: unknown; items?: unknown } | null;
  if (list?.kind !== 'List' || list.apiVersion !== 'v1' || !Array.isArray(list.items)) {
    return [{ document, value: document.value, at: '' }];
  }
  return list.items.map((value: unknown, index) => ({ document, value, at: join('items', index) }));
}

function declare({ document, value, at }: Item, places: Map<string, Place>, manifest: Manifest): void {
  const locate = (path: Path) => document.locate(within(at, path));
  const place = locate('');
  if (at === '' && isProse(value)) {
    passOver(value, place, manifest);
    return;
  }
  const { resource, complaints, receipts, refusals } = admit(value, (path) => document.written(within(at, path)));
  const placed = (some: readonly Complaint[]) =>
    some.map((one): Fault => Object.assign({ place: locate(one.path) }, one)).toSorted(byPlace);
  for (const fault of placed(complaints)) manifest.faults.push(fault);
  const assumed = receipts.flatMap(({ refusal }) => refusal ?? []);
  for (const refusal of placed([...assumed, ...refusals])) manifest.refusals.push(refusal);
  const name = nameOf(value);
  for (const { path, message, refusal, reference } of receipts) {
    manifest.receipts.push({
      place: locate(path),
      resource: keyOf(name),
      path,
      message,
      ...(refusal === undefined ? {} : { refused: true }),
      ...(reference === undefined ? {} : { reference: { namespace: name.metadata.namespace, ...reference } }),
    });
  }
  if (resource === undefined) return;
  const before = places.get(keyOf(resource));
  if (before !== undefined) {
    const got = `a second one; the first is at ${before.file}:${before.line}:${before.column}`;
    const text = `${keyOf(resource)} is declared twice`;
    manifest.faults.push({ place, ...complaint('metadata.name', 'each resource once', got, { text }) });
    return;
  }
  places.set(keyOf(resource), place);
  manifest.declared.push({ resource, place, locate });
}

/** Kubernetes passes over what is empty, and refuses the rest. */
function passOver(value: unknown, place: Place, { receipts, refusals }: Manifest): void {
  const isEmpty = value === null || value === undefined;
  receipts.push({ place, resource: '', path: '', message: NO_RESOURCE, ...(isEmpty ? {} : { refused: true }) });
  if (isEmpty) return;
  const got = typeof value === 'object' ? show('', value) : `a ${typeof value}`;
  const text = "Object 'Kind' is missing";
  refusals.push({ place, ...complaint('', 'a resource: an object with apiVersion, kind and metadata', got, { text }) });
}

function byPlace({ place: one }: Fault, { place: other }: Fault): number {
  return one.line - other.line || one.column - other.column;
}

function within(outer: Path, inner: Path): Path {
  return outer === '' || inner === '' || inner.startsWith('[') ? outer + inner : `${outer}.${inner}`;
}

// Labels of diagrams, sentences, notes with a colon: nothing that anyone meant as a configuration.
function isProse(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if ('kind' in value || 'apiVersion' in value) return false;
  return Object.values(value).every((inner) => typeof inner !== 'object' || inner === null);
}

function nameOf(value: unknown) {
  const { kind, metadata } = (value ?? {}) as { kind?: unknown; metadata?: { name?: unknown; namespace?: unknown } };
  const text = (part: unknown, otherwise: string) => (typeof part === 'string' ? part : otherwise);
  return {
    kind: text(kind, '?'),
    metadata: { name: text(metadata?.name, '?'), namespace: text(metadata?.namespace, 'default') },
  };
}
