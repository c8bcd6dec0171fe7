/** What a template may speak of; each gives the text of a name, or undefined when there is none. */
export interface TemplateInput {
  /** By lower-case name. */
  header(name: string): string | undefined;
  query(name: string): string | undefined;
  /** A path of member names and indexes into the parsed body. */
  body(path: readonly string[]): string | undefined;
}

/** Text with the values of one request put in; what is missing is empty. */
export type Template = (input: TemplateInput) => string;

/** A template that cannot be read. */
export class TemplateFault extends Error {
  override readonly name = 'TemplateFault';
}

/**
 * Reads a template: text with `{headers.NAME}`, `{query.NAME}` and `{body.path.to.0.field}`; `{{` and `}}` are braces.
 * Throws a {@link TemplateFault} that says what is wrong and where.
 */
export function parseTemplate(text: string): Template {
  const parts: (string | Template)[] = [];
  let read = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > read) parts.push(text.slice(read, match.index));
    read = match.index + match[0].length;
    if (match[0] === '{{' || match[0] === '}}') parts.push(match[0][0]!);
    else if (match[1] === undefined)
      throw new TemplateFault(
        `${place(text, match.index)}: a lone ${match[0]}; write ${match[0]}${match[0]} for the brace itself`,
      );
    else parts.push(parseValue(match[1], place(text, match.index)));
  }
  if (read < text.length) parts.push(text.slice(read));
  return (input) => parts.map((part) => (typeof part === 'string' ? part : part(input))).join('');
}

const TOKEN = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;

function parseValue(expression: string, where: string): Template {
  const [root, ...path] = expression.trim().split('.');
  const rest = path.join('.');
  if (path.every((step) => step !== '') && path.length > 0) {
    if (root === 'headers') return (input) => input.header(rest.toLowerCase()) ?? '';
    if (root === 'query') return (input) => input.query(rest) ?? '';
    if (root === 'body') return (input) => input.body(path) ?? '';
  }
  const expected = '{headers.NAME}, {query.NAME} or {body.path.to.field}';
  throw new TemplateFault(`${where}: expected ${expected}, got {${expression}}`);
}

function place(text: string, index: number): string {
  return `template ${JSON.stringify(text)} at ${index + 1}`;
}
