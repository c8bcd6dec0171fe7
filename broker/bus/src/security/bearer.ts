const NAME = 'authorization';
const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i;

/**
 * The token of `Authorization: Bearer …` (RFC 6750 §2.1). Undefined when there is none, when it is of another scheme, and
 * when there are several such headers: nobody could say which one counts. `rawHeaders` are names and values in turn.
 */
export function bearerOf(rawHeaders: readonly string[]): string | undefined {
  let found: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.length !== NAME.length || name.toLowerCase() !== NAME) continue;
    if (found !== undefined) return undefined;
    found = rawHeaders[index + 1]!;
  }
  return found === undefined ? undefined : BEARER.exec(found)?.[1];
}
