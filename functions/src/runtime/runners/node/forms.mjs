// The forms in which an author may write a handler. Which one it is shows in what the file exports:
//
//   export default { fetch(request, env, context) {} }    export function fetch(request, env, context) {}
//   export default (request) => {}                        the web's: a Request in, a Response out (fetch-form.mjs)
//   export function handle(context, event) {}             Knative func's, also with init and shutdown (func-form.mjs)
//   export default (context, event) => {}
//   export default (event, context) => {}                 ours (event-form.mjs)
//
// `module.exports =` stands for `export default`.
import { serveEvents } from './event-form.mjs';
import { serveFetch } from './fetch-form.mjs';
import { serveFunc } from './func-form.mjs';

/** The forms, the first that fits counts. `main` is the default export. */
export const FORMS = [
  {
    find(module, main) {
      const [first, isOnly] = parametersOf(main);
      if (isOnly && /^req(?:uest)?$/.test(first)) return main;
      return method(main, 'fetch') ?? functionOf(module.fetch);
    },
    serve: serveFetch,
  },
  {
    find(module, main) {
      if (typeof main === 'function' && parametersOf(main)[0] === 'context') return { handle: main };
      const holder = typeof main?.handle === 'function' ? main : module;
      return typeof holder.handle === 'function' ? holder : undefined;
    },
    serve: serveFunc,
  },
  {
    find: (_module, main) => functionOf(main),
    serve: serveEvents,
  },
];

function functionOf(value) {
  return typeof value === 'function' ? value : undefined;
}

/** It may need its `this`. */
function method(holder, name) {
  return typeof holder?.[name] === 'function' ? holder[name].bind(holder) : undefined;
}

/** The name of a function's first parameter, and whether it has no other. */
function parametersOf(value) {
  if (typeof value !== 'function') return [];
  const text = Function.prototype.toString.call(value);
  const [, first, then] =
    /^(?:async\b\s*)?(?:function\b\s*\*?\s*[\w$]*\s*)?\(?\s*([\w$]+)\s*(=>|[,)=])/.exec(text) ?? [];
  return [first, then === ')' || then === '=>'];
}
