/** What stands in a field of a message, by the number of the field. */
export interface Field {
  readonly name: string;
  readonly type: 'text' | 'base64' | 'integer' | 'boolean' | 'time' | 'texts' | 'base64s' | Message;
  readonly repeated?: true;
}

/** The fields of a message by number. Those that are not named here are passed over. */
export type Message = Readonly<Record<number, Field>>;

/** A time: seconds since 1970, and nanoseconds, which Kubernetes leaves out. */
export const TIME: Message = { 1: { name: 'seconds', type: 'integer' } };

const OWNER: Message = {
  1: { name: 'kind', type: 'text' },
  3: { name: 'name', type: 'text' },
  4: { name: 'uid', type: 'text' },
  5: { name: 'apiVersion', type: 'text' },
  6: { name: 'controller', type: 'boolean' },
  7: { name: 'blockOwnerDeletion', type: 'boolean' },
};

const METADATA: Message = {
  1: { name: 'name', type: 'text' },
  2: { name: 'generateName', type: 'text' },
  3: { name: 'namespace', type: 'text' },
  5: { name: 'uid', type: 'text' },
  6: { name: 'resourceVersion', type: 'text' },
  7: { name: 'generation', type: 'integer' },
  8: { name: 'creationTimestamp', type: 'time' },
  11: { name: 'labels', type: 'texts' },
  12: { name: 'annotations', type: 'texts' },
  13: { name: 'ownerReferences', type: OWNER, repeated: true },
  14: { name: 'finalizers', type: 'text', repeated: true },
};

const metadata: Message = { 1: { name: 'metadata', type: METADATA } };
const NAMED: Message = { 1: { name: 'name', type: 'text' } };

/** What kubectl sends in protobuf, by kind (the numbers are those of k8s.io/api's generated.proto). */
export const MESSAGES: Readonly<Record<string, Message>> = {
  Namespace: {
    ...metadata,
    2: { name: 'spec', type: { 1: { name: 'finalizers', type: 'text', repeated: true } } },
  },
  ConfigMap: {
    ...metadata,
    2: { name: 'data', type: 'texts' },
    3: { name: 'binaryData', type: 'base64s' },
    4: { name: 'immutable', type: 'boolean' },
  },
  Secret: {
    ...metadata,
    2: { name: 'data', type: 'base64s' },
    3: { name: 'type', type: 'text' },
    4: { name: 'stringData', type: 'texts' },
    5: { name: 'immutable', type: 'boolean' },
  },
  ServiceAccount: {
    ...metadata,
    2: { name: 'secrets', type: { 3: { name: 'name', type: 'text' } }, repeated: true },
    3: { name: 'imagePullSecrets', type: NAMED, repeated: true },
    4: { name: 'automountServiceAccountToken', type: 'boolean' },
  },
  SelfSubjectAccessReview: {
    ...metadata,
    2: {
      name: 'spec',
      type: {
        1: {
          name: 'resourceAttributes',
          type: {
            1: { name: 'namespace', type: 'text' },
            2: { name: 'verb', type: 'text' },
            3: { name: 'group', type: 'text' },
            4: { name: 'version', type: 'text' },
            5: { name: 'resource', type: 'text' },
            6: { name: 'subresource', type: 'text' },
            7: { name: 'name', type: 'text' },
          },
        },
        2: {
          name: 'nonResourceAttributes',
          type: { 1: { name: 'path', type: 'text' }, 2: { name: 'verb', type: 'text' } },
        },
      },
    },
  },
  SelfSubjectRulesReview: { ...metadata, 2: { name: 'spec', type: { 1: { name: 'namespace', type: 'text' } } } },
  SelfSubjectReview: metadata,
  TokenRequest: {
    ...metadata,
    2: {
      name: 'spec',
      type: {
        1: { name: 'audiences', type: 'text', repeated: true },
        3: { name: 'boundObjectRef', type: { 1: { name: 'kind', type: 'text' }, 3: { name: 'name', type: 'text' } } },
        4: { name: 'expirationSeconds', type: 'integer' },
      },
    },
  },
  DeleteOptions: {
    1: { name: 'gracePeriodSeconds', type: 'integer' },
    2: {
      name: 'preconditions',
      type: { 1: { name: 'uid', type: 'text' }, 2: { name: 'resourceVersion', type: 'text' } },
    },
    3: { name: 'orphanDependents', type: 'boolean' },
    4: { name: 'propagationPolicy', type: 'text' },
    5: { name: 'dryRun', type: 'text', repeated: true },
  },
};
