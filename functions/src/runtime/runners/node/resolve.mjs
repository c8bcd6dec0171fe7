// Where the imports of an author's file lead. Node looks beside the importing file and in the folders above; the file
// may be a copy, though, and its dependencies may be installed elsewhere.
import { existsSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** `millrace/agent`, for every function: beside our runners where they are published, else where it is written. */
export const AGENT = ['../../agent.js', '../../../agent/agent.ts']
  .map((place) => fileURLToPath(new URL(place, import.meta.url)))
  .find((place) => existsSync(place));

const NOT_FOUND = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']);

/**
 * From now on, what does not resolve from the file that asks for it resolves from `packages` (a folder with a
 * `node_modules`), then from `origin` (the file of which `file` is a copy); `import` and `require` alike. What is not
 * found at all is told with all the places. `owned` are the author's own files that were asked for so far.
 */
export function resolveFrom({ file, origin, packages }) {
  const bases = [packages && join(packages, 'package.json'), origin].filter(Boolean);
  const owned = new Set([file]);
  let isLookingElsewhere = false;
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const isRequired = context.conditions.includes('require');
      if (specifier === 'millrace/agent' && AGENT !== undefined) {
        return next(isRequired ? AGENT : pathToFileURL(AGENT).href, context);
      }
      const parent = context.parentURL?.startsWith('file:') ? fileURLToPath(context.parentURL) : undefined;
      const isOwn = parent !== undefined && owned.has(parent);
      try {
        const found = next(specifier, context);
        if (isOwn) own(found.url);
        return found;
      } catch (error) {
        if (!isOwn || isLookingElsewhere || !NOT_FOUND.has(error.code) || isPath(specifier)) throw error;
        for (const base of bases) {
          const found = fromElsewhere(specifier, base, isRequired, context, next);
          if (found !== undefined) {
            own(found.url);
            return found;
          }
        }
        throw notFound(specifier, parent, error);
      }
    },
  });
  return { owned, stop: () => hooks.deregister() };

  function own(url) {
    const path = url.startsWith('file:') ? fileURLToPath(url) : url;
    if (!path.includes('/node_modules/')) owned.add(path);
  }

  function fromElsewhere(specifier, base, isRequired, context, next) {
    isLookingElsewhere = true;
    try {
      // `require` does not listen to another parent; it takes a path, though.
      if (isRequired) return next(createRequire(base).resolve(specifier), context);
      return next(specifier, { ...context, parentURL: pathToFileURL(base).href });
    } catch (error) {
      if (!NOT_FOUND.has(error.code)) throw error;
      return undefined;
    } finally {
      isLookingElsewhere = false;
    }
  }

  function notFound(specifier, parent, { code }) {
    const asker = parent === file && origin !== undefined ? origin : parent;
    const isRelative = specifier.startsWith('.');
    const places = [dirname(parent), ...bases.map((base) => dirname(base))];
    const where = isRelative ? places.filter((place) => place !== packages) : places;
    const advice = isRelative ? '' : ` and the folders above; add it to package.json`;
    const text = `cannot find ${isRelative ? 'the file' : 'the package'} ${specifier} for ${asker}: looked in ${[...new Set(where)].join(', ')}${advice}`;
    return Object.assign(new Error(text), { code });
  }
}

function isPath(specifier) {
  return specifier.startsWith('/') || /^(?:file|node|data):/.test(specifier);
}
