import { isPrintable, printableLines } from './printable.ts';

/** An object as YAML, as kubectl prints it: names in alphabetical order, lists not indented. */
export async function objectYaml(value: unknown): Promise<string> {
  const { Document, visit } = await import('yaml');
  // Texts that YAML 1.1 takes for something else (yes, on, a time) are quoted: kubectl and its kin read that.
  const document = new Document(value, { schema: 'yaml-1.1', sortMapEntries: true, aliasDuplicateObjects: false });
  const { schema } = document;
  const isAnotherThing = (text: string) => schema.tags.some((tag) => 'test' in tag && tag.test?.test(text) === true);
  visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value !== 'string') return;
      const isSafe = isPrintable(scalar.value.replaceAll('\n', ''));
      if (!isSafe || isAnotherThing(scalar.value)) scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return printableLines(document.toString({ indentSeq: false, lineWidth: 0, singleQuote: true }));
}

/** The same as JSON, four spaces a level. */
export function objectJson(value: unknown): string {
  return `${printableLines(JSON.stringify(sorted(value), undefined, 4))}\n`;
}

/** Several objects as one (Kubernetes API: List). */
export function listOf(items: readonly unknown[]): object {
  return { apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
