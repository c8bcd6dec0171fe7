import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyResource } from './any-resource.ts';
import { KINDS } from './kinds.ts';
import type { KindName } from './kinds.ts';
import { formatFault, readManifest } from './manifest.ts';

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

/** For tests: what Knative refuses of a text that we take, as `path: message`, in order. */
export function refusalsOf(text: string): string[] {
  return readManifest(text, 'test.yaml').refusals.map(({ path, message }) => `${path}: ${message}`);
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

/** For tests: a manifest of the kind in its preferred version, named `it`, with this spec. */
export function manifestOf(kind: KindName, spec?: object, metadata: object = {}): string {
  return JSON.stringify({ apiVersion: KINDS[kind].apiVersions[0], kind, metadata: { name: 'it', ...metadata }, spec });
}

/** For tests: what may not be said, and all that is told about it, as `path: message`. */
export type Refusals = readonly (readonly [spec: object, ...faults: string[]])[];

/** For tests: declares a test for each refusal; `textOf` makes the manifest around what may not be said. */
export function testRefusals(refusals: Refusals, textOf: (spec: object) => string): void {
  for (const [spec, ...faults] of refusals) {
    test(`may not have ${JSON.stringify(spec)}`, () => assert.deepEqual(faultsOf(textOf(spec)), faults));
  }
}
