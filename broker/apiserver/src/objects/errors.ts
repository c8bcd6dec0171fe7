import { keyText } from './object.ts';
import type { ObjectKey } from './object.ts';

/** The object has another version than was expected: read it again, and decide again. */
export class Conflict extends Error {
  override readonly name = 'Conflict';
  readonly key: ObjectKey;
  readonly expected: string;
  readonly actual: string;

  constructor(key: ObjectKey, expected: string, actual: string) {
    super(`${keyText(key)} was to have version ${expected}, and has ${actual}: read it again`);
    this.key = key;
    this.expected = expected;
    this.actual = actual;
  }
}

/** There was to be no such object, and there is one. */
export class AlreadyExists extends Error {
  override readonly name = 'AlreadyExists';
  readonly key: ObjectKey;

  constructor(key: ObjectKey) {
    super(`${keyText(key)} already exists`);
    this.key = key;
  }
}

/** There was to be an object, and there is none. */
export class NotFound extends Error {
  override readonly name = 'NotFound';
  readonly key: ObjectKey;

  constructor(key: ObjectKey) {
    super(`${keyText(key)} does not exist`);
    this.key = key;
  }
}

/** Not all changes after a version are known, or it is none of this store's: list, and watch from there. */
export class Gone extends Error {
  override readonly name = 'Gone';
  readonly after: string;
  /** From this version on they are known. */
  readonly oldest: string;

  constructor(after: string, oldest: string, latest: string) {
    super(`the changes after version ${after} are not known, only those after ${oldest} up to ${latest}: list again`);
    this.after = after;
    this.oldest = oldest;
  }
}

/** There is no space left. Nothing was written; the same write may be tried again once there is some. */
export class StoreFull extends Error {
  override readonly name = 'StoreFull';
}

/** The store can take nothing more until it is opened again. */
export class StoreBroken extends Error {
  override readonly name = 'StoreBroken';
}

/** The file of a store is not as it was written. The message says how to go on. */
export class StoreDamaged extends Error {
  override readonly name = 'StoreDamaged';
}
