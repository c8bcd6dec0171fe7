import type { Template, TemplateSource } from '@millrace/resources/template';

/** What the values of a template are looked up in: each gives the text at a path, or undefined when there is none. */
export type TemplateInput = Readonly<Record<TemplateSource, (path: readonly string[]) => string | undefined>>;

/** The text of a template with the values of one request put in; what is missing is empty. */
export function fillIn(template: Template, input: TemplateInput): string {
  return template.map((part) => ('text' in part ? part.text : (input[part.from](part.path) ?? ''))).join('');
}
