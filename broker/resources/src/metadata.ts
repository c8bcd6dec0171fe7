import { Type } from 'typebox';
import type { Static } from 'typebox';
import { annotationsRule, DNS_1035_LABEL, DNS_LABEL, DNS_SUBDOMAIN, labelsRule } from './name.ts';
import { Fields, Texts } from './schema.ts';

const Ignored = (options = {}) => Type.Optional(Type.Unknown(options));

// What a server writes. Accepted, so that `kubectl get -o yaml` can be read back; never kept.
const SERVER_SET = {
  uid: Ignored(),
  resourceVersion: Ignored(),
  generation: Ignored(),
  creationTimestamp: Ignored(),
  deletionTimestamp: Ignored(),
  deletionGracePeriodSeconds: Ignored(),
  managedFields: Ignored(),
  ownerReferences: Ignored(),
  finalizers: Ignored(),
  selfLink: Ignored(),
};

function metadataSchema(namePattern: string, nameExpected: string, maxLength: number) {
  return Fields({
    name: Type.String({ pattern: namePattern, maxLength, expected: nameExpected }),
    namespace: Type.String({
      pattern: DNS_LABEL,
      default: 'default',
      expected: 'a DNS label: at most 63 lower-case letters, digits and "-", begun and ended by a letter or digit',
    }),
    labels: Type.Optional(Texts({ rule: labelsRule, expected: 'an object of labels' })),
    annotations: Type.Optional(Texts({ rule: annotationsRule, expected: 'an object of annotations' })),
    ...SERVER_SET,
  });
}

/** The metadata of most kinds: the name is a DNS subdomain, the namespace is `default` unless said. */
export const MetadataSchema = metadataSchema(
  DNS_SUBDOMAIN,
  'a DNS name: at most 253 lower-case letters, digits, "-" and ".", begun and ended by a letter or digit',
  253,
);

/** The metadata of kinds whose name becomes a host name of its own (Knative Serving): a label that begins with a letter. */
export const HostMetadataSchema = metadataSchema(
  DNS_1035_LABEL,
  'a DNS 1035 label: at most 63 lower-case letters, digits and "-", begun by a letter, ended by a letter or digit',
  63,
);

/** What names a resource. Server-set fields (`uid`, `resourceVersion`, `managedFields` …) are accepted and dropped. */
export type Metadata = Pick<Static<typeof MetadataSchema>, 'name' | 'namespace' | 'labels' | 'annotations'>;

/** Takes out what a server has written, in place. */
export function dropServerFields(metadata: Metadata): void {
  for (const name of Object.keys(SERVER_SET)) delete (metadata as Record<string, unknown>)[name];
}
