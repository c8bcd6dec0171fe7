// Packages, loaded before it is known for which function: it finds them in Node's cache.
import { createRequire, registerHooks, syncBuiltinESMExports } from 'node:module';
import { pathToFileURL } from 'node:url';

import { AGENT, resolveFrom } from './resolve.mjs';

/**
 * Loads what the file of a preload imports (see Preload in preload.ts), as if that file asked for it. Resolves with
 * the variables that were looked at meanwhile; rejects with what a package threw. One that is not found is left out:
 * the file will say so when it is loaded.
 */
export async function preload(plan) {
  const { stop } = resolveFrom(plan);
  const looks = watchEnvironment();
  try {
    if (plan.typescript) (await import('node:module')).stripTypeScriptTypes('');
    for (const name of plan.imported) {
      await importFor(plan.file, name);
      // The helper loads it at the first event only.
      if (name === 'millrace/agent') await importFor(AGENT, '@anthropic-ai/sdk');
    }
    const require = createRequire(plan.file);
    for (const name of plan.required) skipMissing(() => require(name));
  } finally {
    stop();
  }
  return { looks: looks.end() };
}

async function importFor(file, name) {
  const parentURL = pathToFileURL(file).href;
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, context.parentURL === import.meta.url ? { ...context, parentURL } : context),
  });
  try {
    await import(name);
  } catch (error) {
    forgive(error);
  } finally {
    hooks.deregister();
  }
}

function skipMissing(load) {
  try {
    load();
  } catch (error) {
    forgive(error);
  }
}

function forgive(error) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' && error?.code !== 'MODULE_NOT_FOUND') throw error;
}

/** Notes the names of the variables that are looked at, until it is ended. */
function watchEnvironment() {
  const environment = process.env;
  const looks = new Set();
  const note = (name) => typeof name === 'string' && looks.add(name);
  replaceEnvironment(
    new Proxy(environment, {
      get: (target, name) => (note(name), target[name]),
      has: (target, name) => (note(name), name in target),
      getOwnPropertyDescriptor: (target, name) => (note(name), Object.getOwnPropertyDescriptor(target, name)),
      ownKeys: (target) => (note('*'), Reflect.ownKeys(target)),
    }),
  );
  return {
    end() {
      replaceEnvironment(environment);
      return [...looks];
    },
  };
}

function replaceEnvironment(environment) {
  process.env = environment;
  // For `import { env } from 'node:process'`.
  syncBuiltinESMExports();
}
