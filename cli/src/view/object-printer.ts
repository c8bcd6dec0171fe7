import type { KubernetesObject } from '@millrace/apiserver/objects/object';

import { CommandFailure } from '../exit-codes.ts';
import { nameText } from '../objects/discovery.ts';
import { withoutManagedFields } from '../objects/metadata.ts';
import { compileTemplate } from './json-path-template.ts';
import { objectJson, objectYaml } from './object-text.ts';
import { printable, printableLines } from './printable.ts';

/** What of an object is printed. */
export interface ObjectLook {
  /** Also who has set which fields. */
  readonly showManagedFields?: true;
}

/**
 * How an object, or a list of them, is printed for programs: `yaml`, `json`, `name` (of one object), `jsonpath=TEMPLATE`.
 * Throws a {@link CommandFailure} for a template that is none.
 */
export function objectPrinter(
  format: string,
  { showManagedFields }: ObjectLook,
): (value: unknown) => string | Promise<string> {
  const shown = (value: unknown) => (showManagedFields === true ? value : withoutManagedFields(value));
  if (format === 'yaml') return (value) => objectYaml(shown(value));
  if (format === 'json') return (value) => objectJson(shown(value));
  if (format === 'name') return (value) => `${printable(nameOf(value as KubernetesObject))}\n`;
  const template = templateOf(format.slice('jsonpath='.length));
  return (value) => printableLines(template(value));
}

function nameOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return nameText({ group, kind }, metadata.name);
}

function templateOf(text: string): (value: unknown) => string {
  try {
    return compileTemplate(text);
  } catch (error) {
    throw new CommandFailure('usage', printable(`-o jsonpath: ${(error as Error).message}`));
  }
}
