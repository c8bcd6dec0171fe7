// Makes what is published: `cli/dist`, with all workspaces in it and all other packages left to npm.
//   npm run build && npm pack -w cli
import { cpSync, copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { rolldown } from 'rolldown';

const root = join(import.meta.dirname, '..');
const dist = join(import.meta.dirname, 'dist');
const { dependencies } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};

rmSync(dist, { recursive: true, force: true });
const bundle = await rolldown({
  cwd: root,
  platform: 'node',
  // The threads and the processes of transformations are files of their own, beside whatever starts them.
  input: {
    main: 'cli/src/main.ts',
    writer: 'broker/bus/src/log/sqlite/writer.ts',
    checkpointer: 'broker/bus/src/log/sqlite/checkpointer.ts',
    'jsonata-process': 'broker/bus/src/transform/jsonata-process.ts',
    // What authors import as `millrace/agent`.
    agent: 'functions/src/agent/agent.ts',
  },
  external: (id) => isPackage(id) && !id.startsWith('@millrace/'),
});
const { output } = await bundle.write({
  dir: dist,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  minify: false,
});
await bundle.close();
// What runs inside a function's process is plain JavaScript and Python already.
cpSync(join(root, 'functions/src/runtime/runners'), join(dist, 'runners'), { recursive: true });
cpSync(join(import.meta.dirname, 'templates'), join(dist, 'templates'), { recursive: true });
for (const file of ['README.md', 'LICENSE']) copyFileSync(join(root, file), join(import.meta.dirname, file));

const ours = new Set(output.map((file) => file.fileName));
const undeclared = new Set(
  output
    .flatMap((chunk) => (chunk.type === 'chunk' ? [...chunk.imports, ...chunk.dynamicImports] : []))
    .filter((id) => isPackage(id) && !ours.has(id))
    .map(packageOf)
    .filter((name) => dependencies[name] === undefined),
);
if (undeclared.size > 0) {
  process.stderr.write(`cli/package.json must name ${[...undeclared].join(', ')} among its dependencies\n`);
  process.exit(1);
}
process.stdout.write(`built ${output.length} files in cli/dist\n`);

function isPackage(id: string): boolean {
  return !id.startsWith('.') && !id.startsWith('/') && !id.startsWith('node:');
}

function packageOf(id: string): string {
  return id
    .split('/')
    .slice(0, id.startsWith('@') ? 2 : 1)
    .join('/');
}
