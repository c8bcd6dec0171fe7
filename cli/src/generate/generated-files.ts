import { customResourceDefinition } from '@millrace/apiserver/registry/custom-resource-definition';
import { ALL, editorSchema, editorSchemaFile, editorSchemaOfAll } from '@millrace/apiserver/registry/editor-schema';
import { knativeKinds } from '@millrace/apiserver/registry/knative';
import { KINDS } from '@millrace/resources/kinds';
import type { KindName } from '@millrace/resources/kinds';
import { stringify } from 'yaml';

/** The command that writes them. */
export const COMMAND = 'npm run generate';

/** The folders that hold generated files and nothing else, below the root of the repository. */
export const GENERATED_FOLDERS = ['manifests/crds', 'manifests/schemas'] as const;

/**
 * All files that are made of what the kinds say, by their path below the root: the CustomResourceDefinitions that a
 * cluster is taught, and the schemas that editors take. The same kinds give the same texts.
 */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const kind of knativeKinds()) {
    // Group and kind: two groups may have a kind of one name.
    const text = stringify(customResourceDefinition(kind), { aliasDuplicateObjects: false, lineWidth: 0 });
    files.set(`manifests/crds/${kind.group}_${kind.plural}.yaml`, `# Generated: ${COMMAND}\n${text}`);
  }
  const schema = (name: string, value: object) =>
    files.set(`manifests/schemas/${name}`, `${JSON.stringify(value, undefined, 2)}\n`);
  for (const kind of Object.keys(KINDS) as KindName[]) schema(editorSchemaFile(kind), editorSchema(kind));
  schema(ALL, editorSchemaOfAll());
  return files;
}
