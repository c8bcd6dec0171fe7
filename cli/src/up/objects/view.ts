import type { Status } from '@millrace/bus/plan/plan';
import { KINDS } from '@millrace/resources/kinds';
import type { KindName } from '@millrace/resources/kinds';

/** How an object is that the server tells of; and all of it, where no one has declared it and the server makes it. */
export interface View extends Status {
  /** Default: the first version of the kind in `@millrace/resources`. */
  readonly apiVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** It stays as it was made, whatever is said later: a revision does not change. Default: false. */
  readonly isFixed?: boolean;
}

/** Views by the keys of their resources (`<kind>/<namespace>/<name>`). */
export type Views = ReadonlyMap<string, View>;

/** Under which version the objects of a view are stored; undefined for a kind that the API does not have. */
export function versionOf({ apiVersion, kind }: View): string | undefined {
  return apiVersion ?? KINDS[kind as KindName]?.apiVersions[0];
}
