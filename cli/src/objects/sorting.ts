import { CommandFailure } from '../exit-codes.ts';
import { valuesAt } from '../view/json-path-template.ts';

/** Puts things into the order of a field of their objects; those without it come first. */
export type Sorter = <T>(things: readonly T[], objectOf: (thing: T) => unknown) => readonly T[];

/** By the field at a path (`.metadata.name`, also in braces); as they are without one. Throws a {@link CommandFailure}. */
export function sorter(path: string | undefined): Sorter {
  if (path === undefined) return (things) => things;
  const values = compiled(path);
  return (things, objectOf) =>
    things
      .map((thing) => ({ thing, value: values(objectOf(thing))[0] }))
      .toSorted((one, other) => compare(one.value, other.value))
      .map(({ thing }) => thing);
}

function compiled(path: string): ReturnType<typeof valuesAt> {
  try {
    return valuesAt(path);
  } catch (error) {
    throw new CommandFailure('usage', `--sort-by: ${(error as Error).message}`);
  }
}

/** Numbers by size, also where they stand in a text: `a2` before `a10`. */
function compare(one: unknown, other: unknown): number {
  if (one === undefined || other === undefined) return Number(one !== undefined) - Number(other !== undefined);
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  return textOf(one).localeCompare(textOf(other), 'en', { numeric: true });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
