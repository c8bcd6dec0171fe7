import { readFileSync } from 'node:fs';

/** A document in Markdown that its reader has, whose manifests are to run as they are. */
export interface Document {
  /** The text of its nth fenced block, counted from 1 and with those of every language, byte for byte. */
  block(nth: number): string;
  /** All of them, in order. */
  readonly blocks: readonly string[];
}

/**
 * The document that `MILLRACE_SEED` names, or why there is none. The variable may also be the number that random tests
 * begin with: then it names no document.
 */
export function readDocument(): { readonly document: Document } | { readonly skip: string } {
  const file = process.env['MILLRACE_SEED'];
  if (file === undefined || /^-?\d*$/.test(file)) {
    return { skip: 'set MILLRACE_SEED to a document in Markdown with flows of Knative' };
  }
  const blocks = [...readFileSync(file, 'utf8').matchAll(/^```\w*\n([^]*?)^```$/gm)].map(([, text]) => text!);
  return {
    document: {
      blocks,
      block(nth) {
        const text = blocks[nth - 1];
        if (text === undefined) throw new Error(`${file} has ${blocks.length} blocks, expected at least ${nth}`);
        return text;
      },
    },
  };
}
