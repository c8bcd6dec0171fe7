/** What the errors of node:sqlite tell: the primary result code of SQLite (https://sqlite.org/rescode.html). */
export function resultCode(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: number };
  return errcode === undefined ? undefined : errcode & 0xff;
}

export const ERROR = 1;
export const BUSY = 5;
export const CORRUPT = 11;
export const FULL = 13;
export const NOT_A_DATABASE = 26;
