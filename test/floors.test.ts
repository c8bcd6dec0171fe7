import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { circlesOf, importsOf, readSources } from './support/imports.ts';
import type { Import } from './support/imports.ts';

// The house has floors: an import goes down, or stays in its own room. Types count as much as values.
//
//   6  cli
//   4  bus.ts
//   3  ingress | delivery | control        neighbours without a door between them
//   2  calls | replies, on plan | telemetry | admin  sources | sinks | functions
//      filter | schema | log | security | environment.ts
//   1  resources
//   0  event

const ROOT = join(import.meta.dirname, '..');

/** What each room may import, besides itself; `types` names rooms of which only types may come. */
const ROOMS: Record<
  string,
  { readonly files: RegExp; readonly imports: readonly string[] | 'anything'; readonly types?: readonly string[] }
> = {
  event: { files: /^broker\/event\//, imports: [] },
  resources: { files: /^broker\/resources\//, imports: ['event'] },
  'bus/filter': { files: /^broker\/bus\/src\/filter\//, imports: ['event', 'resources'] },
  'bus/log': { files: /^broker\/bus\/src\/log\//, imports: ['event', 'resources'] },
  'bus/schema': { files: /^broker\/bus\/src\/schema\//, imports: ['event', 'resources'] },
  'bus/environment.ts': { files: /^broker\/bus\/src\/environment\.ts$/, imports: ['event', 'resources'] },
  'bus/security': {
    files: /^broker\/bus\/src\/security\//,
    imports: ['event', 'resources', 'bus/filter', 'bus/environment.ts'],
    types: ['bus/plan'],
  },
  'bus/plan': {
    files: /^broker\/bus\/src\/plan\//,
    imports: ['event', 'resources', 'bus/filter', 'bus/schema', 'bus/security', 'bus/transform'],
  },
  'bus/flows': {
    files: /^broker\/bus\/src\/flows\//,
    imports: ['event', 'resources', 'bus/filter', 'bus/log', 'bus/environment.ts'],
    types: ['bus/plan'],
  },
  'bus/calls': {
    files: /^broker\/bus\/src\/calls\//,
    imports: ['event', 'resources', 'bus/filter', 'bus/log', 'bus/environment.ts', 'bus/plan'],
  },
  'bus/replies': {
    files: /^broker\/bus\/src\/replies\//,
    imports: ['event', 'resources', 'bus/log', 'bus/environment.ts', 'bus/plan'],
  },
  'bus/transform': {
    files: /^broker\/bus\/src\/transform\//,
    imports: ['event', 'resources', 'bus/filter', 'bus/log', 'bus/environment.ts'],
    types: ['bus/plan'],
  },
  'bus/telemetry': {
    files: /^broker\/bus\/src\/telemetry\//,
    imports: ['event', 'resources', 'bus/filter', 'bus/log', 'bus/environment.ts'],
  },
  'bus/admin': {
    files: /^broker\/bus\/src\/admin\//,
    imports: ['event', 'resources', 'bus/filter', 'bus/log', 'bus/environment.ts', 'bus/security'],
  },
  'bus/ingress': {
    files: /^broker\/bus\/src\/ingress\//,
    imports: [
      'event',
      'resources',
      'bus/filter',
      'bus/log',
      'bus/environment.ts',
      'bus/security',
      'bus/plan',
      'bus/calls',
      'bus/replies',
      'bus/transform',
    ],
  },
  'bus/delivery': {
    files: /^broker\/bus\/src\/delivery\//,
    imports: [
      'event',
      'resources',
      'bus/filter',
      'bus/log',
      'bus/environment.ts',
      'bus/security',
      'bus/calls',
      'bus/transform',
    ],
    types: ['bus/plan'],
  },
  'bus/control': {
    files: /^broker\/bus\/src\/control\//,
    imports: ['event', 'resources', 'bus/filter', 'bus/log', 'bus/environment.ts', 'bus/plan'],
  },
  'bus/bus.ts': {
    files: /^broker\/bus\/src\/bus\.ts$/,
    imports: [
      'event',
      'resources',
      'bus/filter',
      'bus/log',
      'bus/environment.ts',
      'bus/security',
      'bus/plan',
      'bus/calls',
      'bus/replies',
      'bus/transform',
      'bus/flows',
      'bus/schema',
      'bus/telemetry',
      'bus/admin',
      'bus/ingress',
      'bus/delivery',
      'bus/control',
    ],
  },
  'apiserver/objects': { files: /^broker\/apiserver\/src\/objects\//, imports: ['event', 'resources'] },
  'apiserver/registry': { files: /^broker\/apiserver\/src\/registry\//, imports: ['event', 'resources'] },
  'apiserver/api': {
    files: /^broker\/apiserver\/src\/api\//,
    imports: ['event', 'resources', 'apiserver/objects', 'apiserver/registry'],
  },
  sources: { files: /^sources\//, imports: ['event', 'resources'] },
  sinks: { files: /^sinks\//, imports: ['event', 'resources'] },
  functions: { files: /^functions\//, imports: ['event', 'resources'] },
  cli: { files: /^cli\//, imports: 'anything' },
  test: { files: /^test\//, imports: 'anything' },
};

/** Files that only tests run: they may look into other rooms, and use what is declared for all tests. */
const TEST_ONLY =
  /(?:\.test|\.contract|\.fixture)\.ts$|\/arbitrar[^/]*\.ts$|\/(?:testing|test-support)\.ts$|\/testing\/|^test\//;
const SHARED_BY_TESTS = /^test\/support\//;

/** The adapters of the log, and the folder in which they are known. */
const ADAPTERS: readonly (readonly [files: RegExp, home: RegExp])[] = [
  [/^broker\/bus\/src\/log\/sqlite\//, /^broker\/bus\/src\/log\/sqlite\//],
  [/^broker\/bus\/src\/log\/memory\.ts$/, /^broker\/bus\/src\/log\//],
];

function roomOf(file: string): string | undefined {
  return Object.entries(ROOMS).find(([, { files }]) => files.test(file))?.[0];
}

/** Which rule of the floors an import from one file of ours to another breaks; undefined when none. */
function breach({ from, to, typeOnly }: Import): string | undefined {
  if (to === undefined || !('file' in to)) return undefined;
  const [room, target] = [roomOf(from), roomOf(to.file)];
  if (room === undefined) return `${from} stands in no room: give it a floor in this test`;
  if (target === undefined) return `${to.file} stands in no room: give it a floor in this test`;
  const isTest = TEST_ONLY.test(from);
  if (target === 'test' && room !== 'test' && !(isTest && SHARED_BY_TESTS.test(to.file)))
    return 'nobody imports test, but for tests what is in test/support';
  if (target === 'cli' && room !== 'cli' && room !== 'test') return 'nobody imports cli but test';
  if (isTest) return undefined;
  if (TEST_ONLY.test(to.file)) return 'what is for tests only is imported by tests only';
  const adapter = ADAPTERS.find(([files]) => files.test(to.file));
  if (adapter !== undefined && room !== 'cli' && !adapter[1].test(from))
    return 'adapters of the log are imported by cli, by tests and in their own folder';
  if (room === target) return undefined;
  if (target === 'bus/telemetry' && room !== 'bus/bus.ts' && room !== 'cli')
    return 'telemetry is imported by bus.ts and cli only: it listens, nobody calls it';
  const { imports, types = [] } = ROOMS[room]!;
  if (imports === 'anything' || imports.includes(target)) return undefined;
  if (types.includes(target)) return typeOnly ? undefined : `${room} imports only types of ${target}`;
  const allowed = [...imports, ...types.map((name) => `types of ${name}`)].join(', ') || 'nothing';
  return `${room} does not import ${target} (it may import ${allowed})`;
}

const show = ({ from, line, specifier }: Import, rule: string) => `${from}:${line} imports ${specifier}: ${rule}`;
const { files, imports, manifestOf } = readSources(ROOT);

describe('the floors', () => {
  test('hold: every import goes down or stays in its room', () => {
    const breaches = imports.flatMap((one) => {
      const rule = breach(one);
      return rule === undefined ? [] : [show(one, rule)];
    });
    assert.deepEqual(breaches, []);
  });

  test('have no circle between files, types included', () => {
    assert.deepEqual(circlesOf(imports), []);
  });

  test('stand on what the nearest package.json declares', () => {
    const shared = ['package.json', 'test/package.json'].map((path) => manifestOf(path).declared);
    const breaches = imports.flatMap((one) => {
      const manifest = manifestOf(one.from);
      const name = nameOf(one);
      if (name === undefined || name === manifest.name || manifest.declared.has(name)) return [];
      if (TEST_ONLY.test(one.from) && shared.some((declared) => declared.has(name))) return [];
      return [show(one, `${name} is not declared in ${manifest.path}`)];
    });
    assert.deepEqual(breaches, []);
  });

  test('lead somewhere: every file that is imported is there', () => {
    const missing = imports.filter(({ to }) => to !== undefined && 'file' in to && !existsSync(join(ROOT, to.file)));
    assert.deepEqual(
      missing.map((one) => show(one, 'there is no such file')),
      [],
    );
  });

  test('carry every room: each file has one', () => {
    assert.ok(files.length > 100, `${files.length} files`);
    assert.deepEqual(
      files.filter((file) => roomOf(file) === undefined),
      [],
    );
  });
});

/** The package that an import names; undefined for a relative one and for a part of node. */
function nameOf({ specifier, to }: Import): string | undefined {
  // What our runner gives to every file of an author's is declared by nobody.
  if (specifier === 'millrace/agent') return undefined;
  if (specifier.startsWith('.') || to === undefined) return undefined;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

describe('this test sees', () => {
  test('every way to import, and where it stands', () => {
    // Written with ~ for the quotes, so that they are not seen as imports of this file.
    const text = [
      'import a from ~a~;',
      'import type { B } from ~b~;',
      'import {',
      '  c,',
      '  type D,',
      '} from ~./c.ts~;',
      'export * from ~../d.ts~;',
      'export type { E } from ~@millrace/event/event~;',
      'import ~f~;',
      '  const g = await import(~g~);',
      'let h: import(~h~).H | undefined;',
      'const i = { load: () => import(~i~) };',
      'export const no = ~j~;',
      '// import x from ~k~;',
      ' * see import(~l~)',
      'const text = ~from~;',
    ]
      .join('\n')
      .replaceAll('~', "'");
    assert.deepEqual(
      importsOf(text).map(({ line, specifier, typeOnly }) => `${line} ${specifier}${typeOnly ? ' (type)' : ''}`),
      [
        '1 a',
        '2 b (type)',
        '3 ./c.ts',
        '7 ../d.ts',
        '8 @millrace/event/event (type)',
        '9 f',
        '10 g',
        '11 h (type)',
        '12 i',
      ],
    );
  });

  const edge = (from: string, file: string, typeOnly = false): Import => {
    return { from, line: 1, specifier: file, typeOnly, to: { file } };
  };
  const bus = (path: string) => `broker/bus/src/${path}`;

  for (const [what, one, rule] of [
    [
      'an import that goes up',
      edge('broker/event/src/a.ts', 'broker/resources/src/b.ts'),
      /event does not import resources/,
    ],
    ['a type that goes up', edge('broker/event/src/a.ts', 'broker/resources/src/b.ts', true), /event does not import/],
    ['a door between neighbours', edge(bus('ingress/a.ts'), bus('delivery/b.ts'), true), /ingress does not import/],
    ['a value of the plan in delivery', edge(bus('delivery/a.ts'), bus('plan/b.ts')), /only types of bus\/plan/],
    ['a source that knows the bus', edge('sources/src/a.ts', bus('bus.ts'), true), /sources does not import/],
    ['a room that calls telemetry', edge(bus('delivery/a.ts'), bus('telemetry/b.ts')), /telemetry is imported by/],
    ['the bus that knows an adapter', edge(bus('bus.ts'), bus('log/sqlite/store.ts')), /adapters of the log/],
    ['who imports the roof', edge('functions/src/a.ts', 'cli/src/b.ts'), /nobody imports cli/],
    ['who imports the tests', edge('cli/src/a.ts', 'test/support/b.ts'), /nobody imports test/],
    ['a product that needs a test', edge('broker/event/src/a.ts', 'broker/event/src/arbitrary.ts'), /tests only/],
    ['a file in no room', edge(bus('somewhere.ts'), 'broker/event/src/a.ts'), /stands in no room/],
  ] as const) {
    test(what, () => assert.match(breach(one) ?? 'nothing', rule));
  }

  test('no breach in what is allowed', () => {
    for (const one of [
      edge(bus('delivery/a.ts'), bus('plan/b.ts'), true),
      edge(bus('ingress/a.ts'), bus('log/gate.ts')),
      edge('cli/src/a.ts', bus('log/sqlite/store.ts')),
      edge(bus('log/store.test.ts'), bus('log/sqlite/store.ts')),
      edge('test/e2e/a.ts', 'cli/src/main.ts'),
    ]) {
      assert.equal(breach(one), undefined);
    }
  });

  test('a circle, also a long one', () => {
    const round = [edge('a', 'b'), edge('b', 'c'), edge('x', 'a'), edge('c', 'a', true)];
    assert.deepEqual(circlesOf(round), ['a -> b -> c -> a']);
    assert.deepEqual(circlesOf(round.slice(0, 3)), []);
  });
});
