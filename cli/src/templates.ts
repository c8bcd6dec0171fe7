import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of the templates: beside what is built, or beside the sources. */
export function templateFolder(kind: 'fn', name: string): string {
  const places = ['./templates', '../templates'].map((it) => new URL(`${it}/${kind}/${name}/`, import.meta.url));
  return fileURLToPath(places.find((it) => existsSync(it)) ?? places[1]!);
}
