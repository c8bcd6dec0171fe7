import assert from 'node:assert/strict';
import { formatFault, readManifest } from './manifest.ts';
import type { AnyResource } from './any-resource.ts';

/** For tests: the one resource of a text that has no faults. */
export function resourceOf<Kind extends AnyResource['kind']>(
  kind: Kind,
  text: string,
): Extract<AnyResource, { kind: Kind }> {
  const { declared, faults } = readManifest(text, 'test.yaml');
  assert.deepEqual(faults.map(formatFault), []);
  assert.equal(declared.length, 1);
  const resource = declared[0]?.resource;
  assert.equal(resource?.kind, kind);
  return resource as Extract<AnyResource, { kind: Kind }>;
}

/** For tests: what is wrong with a text, as `path: message`, in order. */
export function faultsOf(text: string): string[] {
  return readManifest(text, 'test.yaml').faults.map(({ path, message }) => `${path}: ${message}`);
}

/** For tests: the paths that are at fault, in order. */
export function faultPathsOf(text: string): string[] {
  return readManifest(text, 'test.yaml').faults.map(({ path }) => path);
}

/** For tests: the assumptions that were made. */
export function receiptsOf(text: string): string[] {
  return readManifest(text, 'test.yaml').receipts.map(({ message }) => message);
}

/** For tests: a manifest of a Trigger whose spec is this JSON over a broker and a subscriber. */
export function triggerText(spec: object, metadata: object = {}): string {
  return JSON.stringify({
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    metadata: { name: 'urgent', ...metadata },
    spec: { broker: 'default', subscriber: { uri: 'http://agent' }, ...spec },
  });
}
