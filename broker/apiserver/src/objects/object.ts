/** What tells kinds apart: the API group ('' for the core) and the kind. All versions of a kind are one type. */
export interface ObjectType {
  readonly group: string;
  readonly kind: string;
}

/** Where an object is stored. The namespace is '' when the kind is cluster-scoped. */
export interface ObjectKey extends ObjectType {
  readonly namespace: string;
  readonly name: string;
}

/** Names another object that this one belongs to (Kubernetes API: OwnerReference). */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** Metadata of an object that is to be written (Kubernetes API: ObjectMeta). */
export interface DraftMeta {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string | null;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly Readonly<Record<string, unknown>>[];
  readonly [field: string]: unknown;
}

/** Metadata of an object that is stored. */
export interface ObjectMeta extends DraftMeta {
  readonly name: string;
  readonly uid: string;
  /** Digits; greater than that of everything written before. */
  readonly resourceVersion: string;
  /** RFC 3339, to the second. */
  readonly creationTimestamp: string;
}

/** An object that is to be written: JSON. What the store sets itself may be missing, and is not looked at. */
export interface ObjectDraft {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: DraftMeta;
  readonly [field: string]: unknown;
}

/** An object as it is stored: JSON, frozen throughout. */
export interface KubernetesObject extends ObjectDraft {
  readonly metadata: ObjectMeta;
}

/** A type as text: `Trigger.eventing.knative.dev`, `Secret`. */
export function typeText({ group, kind }: ObjectType): string {
  return group === '' ? kind : `${kind}.${group}`;
}

/** A key as text, one for each key: `Trigger.eventing.knative.dev/default/urgent`, `Namespace//default`. */
export function keyText(key: ObjectKey): string {
  return `${typeText(key)}/${key.namespace}/${key.name}`;
}

/** The API group of an `apiVersion`: `eventing.knative.dev` of `eventing.knative.dev/v1`, '' (the core) of `v1`. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}
