/** Where a value of a {@link Template} is taken from. */
export type TemplateSource = 'headers' | 'query' | 'body';

/** A text to take as it is, or a value to look up: of a header or query parameter by name, of a JSON body by path. */
export type TemplatePart =
  | { readonly text: string }
  | { readonly from: TemplateSource; readonly path: readonly string[] };

/** A text with values in it, read once and filled in for each request. */
export type Template = readonly TemplatePart[];

/** Why a text is no template, and at which character (from 0). */
export interface TemplateFault {
  readonly offset: number;
  readonly expected: string;
}

const VALUE = /^(headers|query|body)\.(.+)$/s;
// RFC 9110 §5.6.2: what a header's name is made of.
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
const WANTED = '{headers.NAME}, {query.NAME} or {body.path.to.field}';

/**
 * Reads a template: `{headers.NAME}` (the name in any case; it is kept in lower case), `{query.NAME}` and
 * `{body.path.to.field}` (a number counts into a list) stand for values; `{{` and `}}` for braces; all else for itself.
 */
export function parseTemplate(text: string): Template | TemplateFault {
  const parts: TemplatePart[] = [];
  let literal = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character !== '{' && character !== '}') {
      literal += character;
    } else if (text[at + 1] === character) {
      literal += character;
      at++;
    } else if (character === '}') {
      return { offset: at, expected: '"}}" for a brace, or a "{" before it' };
    } else {
      const end = text.indexOf('}', at);
      if (end < 0) return { offset: at, expected: 'a "}" after it, or "{{" for a brace' };
      const part = parseValue(text.slice(at + 1, end));
      if (part === undefined) return { offset: at, expected: WANTED };
      if (literal !== '') parts.push({ text: literal });
      literal = '';
      parts.push(part);
      at = end;
    }
  }
  if (literal !== '') parts.push({ text: literal });
  return parts;
}

/** True when it is a fault and not a template. */
export function isTemplateFault(parsed: Template | TemplateFault): parsed is TemplateFault {
  return 'offset' in parsed;
}

function parseValue(inner: string): TemplatePart | undefined {
  const [, from, name = ''] = VALUE.exec(inner) ?? [];
  const path = name.split('.');
  if (path.includes('') || name.includes('{')) return undefined;
  switch (from) {
    case 'headers':
      return HEADER_NAME.test(name) ? { from, path: [name.toLowerCase()] } : undefined;
    case 'query':
      return { from, path: [name] };
    case 'body':
      return { from, path };
    default:
      return undefined;
  }
}
