import type { Column } from './kind.ts';

const condition = (field: string) => `.status.conditions[?(@.type=="Ready")].${field}`;

/** Columns that many of Knative's kinds share, as its CustomResourceDefinitions have them. */
export const AGE: Column = { name: 'Age', type: 'date', value: '.metadata.creationTimestamp' };
export const READY: Column = { name: 'Ready', type: 'string', value: condition('status') };
export const REASON: Column = { name: 'Reason', type: 'string', value: condition('reason') };
export const URL: Column = { name: 'URL', type: 'string', value: '.status.address.url' };
export const SINK: Column = { name: 'Sink', type: 'string', value: '.status.sinkUri' };

/** A column that shows the text at a path; `priority` 1 only with `-o wide`. */
export function text(name: string, path: string, priority = 0): Column {
  return { name, type: 'string', value: path, priority };
}
