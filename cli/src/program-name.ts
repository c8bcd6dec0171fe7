/** How a person calls this command: by its name, or through npm in a checkout. For hints that can be copied. */
export function programName(): string {
  return process.env['MILLRACE_COMMAND'] ?? 'millrace';
}
