import type { TSchema } from 'typebox';
import type { Complaint } from './fault.ts';

/** What a kind's file says about it; `kinds.ts` lists them. */
export interface KindDefinition<R = any> {
  readonly kind: R extends { kind: infer Name } ? Name : string;
  /** Those that are accepted, the preferred one first. They mean the same. */
  readonly apiVersions: readonly string[];
  /** Of the whole resource, as it is after defaults. */
  readonly schema: TSchema;
  /** Sets the defaults that depend on other fields (the constant ones stand in the schema), in place. */
  complete?(resource: R): void;
  /** What may not change from one to the other; both are complete. */
  immutable?(before: R, after: R): Complaint[];
}
