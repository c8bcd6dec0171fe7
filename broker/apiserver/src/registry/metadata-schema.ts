import type { JsonSchema, MergeKeys } from './kind.ts';

const text = (description: string): JsonSchema => ({ type: 'string', description });
const texts = (description: string): JsonSchema => ({
  type: 'object',
  additionalProperties: { type: 'string' },
  description,
});

const OWNER: JsonSchema = {
  type: 'object',
  required: ['apiVersion', 'kind', 'name', 'uid'],
  additionalProperties: false,
  properties: {
    apiVersion: text('The version of the owner.'),
    kind: text('The kind of the owner.'),
    name: text('The name of the owner.'),
    uid: text('The uid of the owner: another object of its name is none.'),
    controller: { type: 'boolean', description: 'It is the owner that manages this object.' },
    blockOwnerDeletion: { type: 'boolean', description: 'An owner deleted in the foreground waits for this object.' },
  },
};

const MANAGED: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    manager: text('Who.'),
    operation: text('Apply or Update.'),
    apiVersion: text('The version in which the fields are named.'),
    time: text('When, the last time.'),
    fieldsType: text('FieldsV1.'),
    fieldsV1: { type: 'object', description: 'The fields.' },
    subresource: text('Through which subresource.'),
  },
};

/** The metadata of every kind (Kubernetes API: ObjectMeta). */
export const METADATA_SCHEMA: JsonSchema = {
  type: 'object',
  description: 'What names and describes the object.',
  additionalProperties: false,
  properties: {
    name: text('Unique among the objects of its kind in its namespace; cannot be changed.'),
    generateName: text('What the name begins with when the server is to make one.'),
    namespace: text('The namespace that it is in; cannot be changed.'),
    labels: texts('By which it is selected.'),
    annotations: texts('What tools and people note about it.'),
    finalizers: {
      type: 'array',
      items: { type: 'string' },
      description: 'Those that have something to do before it goes; it stays until the list is empty.',
    },
    ownerReferences: {
      type: 'array',
      items: OWNER,
      description: 'What it belongs to; it goes when all of them are gone.',
    },
    uid: text('Set by the server.'),
    resourceVersion: text('Set by the server; changes with each change.'),
    generation: {
      type: 'integer',
      format: 'int64',
      description: 'Set by the server; counts the changes of what is wanted.',
    },
    creationTimestamp: text('Set by the server.'),
    deletionTimestamp: text('Set by the server when it is to go.'),
    deletionGracePeriodSeconds: { type: 'integer', format: 'int64', description: 'Set by the server.' },
    managedFields: { type: 'array', items: MANAGED, description: 'Set by the server: who has set which fields.' },
    selfLink: text('Not used any more.'),
  },
};

/** How strategic merge patches merge the lists in metadata. */
export const METADATA_MERGE_KEYS: MergeKeys = { 'metadata.finalizers': '', 'metadata.ownerReferences': 'uid' };
