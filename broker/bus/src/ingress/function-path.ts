import type { Destination, Directory } from './directory.ts';

/** What a path of the data port asks of functions. */
export type FunctionPath =
  | { readonly kind: 'function'; readonly to: Destination | undefined; readonly name: string; readonly path: string }
  /** OpenFaaS's spelling of an asynchronous call. */
  | { readonly kind: 'async'; readonly to: Destination | undefined; readonly name: string; readonly path: string }
  | { readonly kind: 'call'; readonly id: string; readonly isResult: boolean; readonly query: URLSearchParams };

const PATHS = /^\/(functions\/[^/?]+|function|async-function|calls)\/([^/?]+)([^?]*)(\?.*)?$/;

/**
 * Reads the path of a request:
 *
 *   /functions/<namespace>/<name>[/rest]          a function
 *   /function/<name>[.<namespace>][/rest]         a function, as OpenFaaS spells it
 *   /async-function/<name>[.<namespace>][/rest]   the same, asynchronously
 *   /calls/<id>[/result]                          an asynchronous call
 *
 * Undefined for any other. What a function sees is the rest, at least `/`, with the query.
 */
export function readFunctionPath(url: string, directory: Directory): FunctionPath | undefined {
  const found = PATHS.exec(url);
  if (found === null) return undefined;
  const [, prefix = '', name = '', rest = '', query = ''] = found;
  const path = (rest === '' ? '/' : rest) + query;
  switch (prefix) {
    case 'calls': {
      if (rest !== '' && rest !== '/' && rest !== '/result') return undefined;
      return { kind: 'call', id: decoded(name), isResult: rest === '/result', query: new URLSearchParams(query) };
    }
    case 'function':
      return { kind: 'function', to: directory.openFaas(name), name, path };
    case 'async-function':
      return { kind: 'async', to: directory.openFaas(name), name, path };
    default: {
      const namespace = prefix.slice('functions/'.length);
      return { kind: 'function', to: directory.function(namespace, name), name: `${namespace}/${name}`, path };
    }
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
