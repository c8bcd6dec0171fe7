/** A kind that an API serves, in one of its versions. */
export interface WatchedKind {
  /** As it was asked for. */
  readonly apiVersion: string;
  readonly kind: string;
  /** The segment of its address: `brokers`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** An object of a Kubernetes API: JSON. */
export interface WatchedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    /** Absent or '' when its kind is of the cluster. */
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly {
      readonly apiVersion: string;
      readonly kind: string;
      readonly controller?: boolean;
    }[];
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** What has become of an object. */
export interface ObjectChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** As it is now; a deleted one as it was. */
  readonly object: WatchedObject;
  /** As it was before, where there was one. */
  readonly previous: WatchedObject | undefined;
}

/** The objects of a Kubernetes API, as far as a source must see them: the port that `cli` gives an adapter of. */
export interface WatchedObjects {
  /** Resolves with where the API is (`http://127.0.0.1:8081`), when that is known. */
  address(): Promise<string>;
  /** Undefined when the API does not serve it. */
  kindOf(apiVersion: string, kind: string): WatchedKind | undefined;
  /** The labels of a namespace; undefined when there is no such namespace. */
  labelsOf(namespace: string): Readonly<Record<string, string>> | undefined;
  /**
   * Tells every change of objects of the kind in any namespace, from now on, in order and none twice, with the
   * apiVersion of `kind`; what is there already is not told. The returned function ends it.
   */
  watch(kind: WatchedKind, listener: (change: ObjectChange) => void): () => void;
}
