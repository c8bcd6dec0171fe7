// An author's file, loaded, and why it could not be.
import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';

import { FORMS } from './forms.mjs';
import { resolveFrom } from './resolve.mjs';

/** Loads the file of an order; resolves with what serves its calls. Rejects with an Error for people. */
export async function load(order) {
  const { file, origin } = order;
  const { owned } = resolveFrom(order);
  let module;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (error) {
    console.error(error);
    throw new Error(shown(await explain(error, owned), order), { cause: error });
  }
  // A CommonJS file that was compiled from an ES module has its default one floor deeper.
  const main = module.default?.__esModule ? (module.default.default ?? module.default) : module.default;
  const form = FORMS.find((one) => one.find(module, main) !== undefined);
  if (form !== undefined) return form.serve(form.find(module, main), order);
  const found = Object.keys(module).join(', ') || 'nothing';
  throw new TypeError(
    `${origin ?? file}: expected a function (event, context) as the default export, or one called handle or fetch, found exports: ${found}`,
  );
}

/** The name and message of an error, or whatever else was thrown. */
export function describe(error) {
  return error instanceof Error ? `${error.name}: ${error.message}` : inspect(error);
}

async function explain(error, owned) {
  if (!(error instanceof Error)) return inspect(error);
  const place = placeIn(error.stack, owned) ?? (error instanceof SyntaxError ? await placeOfSyntax(owned) : undefined);
  return place === undefined ? describe(error) : `${describe(error)} (${place})`;
}

/** The first `file:line` of the author's in a stack. */
function placeIn(stack = '', owned) {
  for (const line of stack.split('\n')) {
    const [, path, number] = /(\/[^()]*?):(\d+)(?::\d+)?\)?$/.exec(line) ?? [];
    if (path !== undefined && owned.has(path.replace(/^\/\/\//, '/')))
      return `${path.replace(/^\/\/\//, '/')}:${number}`;
  }
  return undefined;
}

/** Node keeps the place of an ES module's syntax error to itself unless that module is the one that it was begun with. */
async function placeOfSyntax(owned) {
  for (const file of owned) {
    const said = await new Promise((resolve) => {
      execFile(process.execPath, ['--check', file], { env: {} }, (_error, _stdout, stderr) => resolve(stderr));
    });
    const place = placeIn(said, owned);
    if (place !== undefined) return place;
  }
  return undefined;
}

/** Authors know where their file is, not where its copy is. */
function shown(text, { file, origin }) {
  return origin === undefined ? text : text.replaceAll(file, origin);
}
