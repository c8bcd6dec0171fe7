import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { GENERATED_FOLDERS, generatedFiles } from './src/generate/generated-files.ts';

/** Writes all generated files anew, and takes away those of kinds that there are no longer. */
const root = join(import.meta.dirname, '..');
const files = generatedFiles();
for (const folder of GENERATED_FOLDERS) {
  mkdirSync(join(root, folder), { recursive: true });
  for (const name of readdirSync(join(root, folder)))
    if (!files.has(`${folder}/${name}`)) rmSync(join(root, folder, name));
}
for (const [path, text] of files) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
process.stdout.write(`${files.size} files in ${GENERATED_FOLDERS.join(' and ')}\n`);
