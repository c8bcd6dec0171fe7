import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { readDocuments } from './document.ts';

const valuesOf = (text: string) => {
  const { documents, faults } = readDocuments(text, 'f');
  assert.deepEqual(faults, []);
  return documents.map(({ value }) => value);
};

const faultsOf = (text: string) =>
  readDocuments(text, 'f').faults.map(({ place, message }) => `${place.line}:${place.column} ${message}`);

describe('the values of a text', () => {
  test('come document by document', () => assert.deepEqual(valuesOf('a: 1\n---\n[b]\n---\n'), [{ a: 1 }, ['b'], null]));

  test('are the same from JSON, also when it is indented by tabs', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const text = JSON.stringify(value, undefined, '\t');
        assert.deepEqual(valuesOf(text), [JSON.parse(text)]);
      }),
    );
  });

  test('follow YAML 1.2: yes and dates are texts', () => {
    assert.deepEqual(valuesOf('{a: yes, b: 2026-01-31, c: 0o17, d: "1"}'), [
      { a: 'yes', b: '2026-01-31', c: 15, d: '1' },
    ]);
  });

  test('are plain JSON also where the text asks for YAML 1.1', () => {
    assert.deepEqual(valuesOf('%YAML 1.1\n---\n{a: 2026-01-31, b: .inf}'), [{ a: '2026-01-31', b: '.inf' }]);
  });

  test('may be merged and aliased; what is said itself wins, then the first', () => {
    const text = 'base: &a {x: 1, y: 1}\nother: &b {y: 2, z: 2}\nboth: {<<: [*a, *b], x: 0}\nsame: *a';
    const [value] = valuesOf(text) as [Record<string, unknown>];
    assert.deepEqual(value['both'], { x: 0, y: 1, z: 2 });
    assert.deepEqual(value['same'], { x: 1, y: 1 });
  });

  test('an alias is of the last anchor before it', () => {
    assert.deepEqual(valuesOf('[&x 1, &y [*x], &x 2, *y, *x]'), [[1, [1], 2, [1], 2]]);
  });

  test('may have any names', () => {
    const [value] = valuesOf('{__proto__: 1, constructor: 2, 3: 4}');
    assert.deepEqual(
      Object.entries(value as object).toSorted(([one], [other]) => (one < other ? -1 : 1)),
      [
        ['3', 4],
        ['__proto__', 1],
        ['constructor', 2],
      ],
    );
  });
});

describe('the place of a path', () => {
  const text = '# a note\nspec:\n  retry: 3\n  list:\n  - a: 1.0\n    b: {c: x}\n';
  const [document] = readDocuments(text, 'f').documents;
  const placeOf = (path: string) => {
    const { line, column } = document?.locate(path) ?? { line: 0, column: 0 };
    return `${line}:${column}`;
  };

  test('is where the field begins, or the item', () => {
    assert.equal(placeOf(''), '2:1');
    assert.equal(placeOf('spec.retry'), '3:3');
    assert.equal(placeOf('spec.list[0]'), '5:5');
    assert.equal(placeOf('spec.list[0].b.c'), '6:9');
  });

  test('that was not written is that of what would hold it', () => {
    assert.equal(placeOf('spec.delivery.retry'), '2:1');
    assert.equal(placeOf('spec.list[1].a'), '4:3');
    assert.equal(placeOf('status'), '2:1');
  });

  test('knows how a plain scalar was written', () => {
    assert.equal(document?.written('spec.list[0].a'), '1.0');
    assert.equal(document?.written('spec.list'), undefined);
  });

  test('counts lines that end by CR LF, after a byte order mark', () => {
    const [document] = readDocuments('\uFEFFa: 1\r\nb:\r\n  c: 2\r\n', 'f').documents;
    assert.deepEqual(document?.locate('b.c'), { file: 'f', line: 3, column: 3 });
  });
});

describe('refused, with the place:', () => {
  const laughs = Array.from({ length: 12 }, (_, level) => {
    const inner = level === 0 ? 'lol' : `*l${level - 1}`;
    return `l${level}: &l${level} [${Array.from({ length: 10 }, () => inner).join(', ')}]`;
  }).join('\n');
  const mergingLaughs = laughs.replaceAll(/\[(.*)\]/g, '{<<: [$1]}').replaceAll('lol', '{a: 1}');

  for (const [what, text, expected] of [
    ['a field said twice', 'a: 1\nb: 2\na: 3', '3:1 expected each field once, got "a" again'],
    ['a tag', 'a: !!binary aGk=', '1:1 expected a value without a tag, got a tag'],
    ["a tag of one's own", 'a:\n  !env HOME', '1:1 expected a value without a tag, got a tag'],
    [
      'an alias of nothing',
      'a: *b',
      '1:4 expected an alias of something that stands before it, got an alias of nothing or of itself',
    ],
    [
      'an alias of itself',
      'a: &a [*a]',
      '1:8 expected an alias of something that stands before it, got an alias of nothing or of itself',
    ],
    ['a merge of a text', 'a: {<<: b}', '1:9 expected an object, or a list of them, to merge, got something else'],
    [
      'a list as a name',
      '? [a]\n: b',
      '1:3 expected a text of at most 1024 characters as the name of a field, got a list, an object or nothing',
    ],
    [
      'what is not closed',
      'a: [\n',
      '2:1 expected well-formed YAML, got Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['20000 levels of lists', '['.repeat(20_000), '1:101 expected at most 100 levels of nesting, got more'],
    ['20000 levels of objects', '{a: '.repeat(20_000), '1:398 expected at most 100 levels of nesting, got more'],
    ['a billion laughs', laughs, '5:45 expected fewer values, got too many, aliases counted as what they stand for'],
    [
      'a billion merged laughs',
      mergingLaughs,
      '5:55 expected fewer values, got too many, aliases counted as what they stand for',
    ],
    ['10 MB', 'a: b\n'.repeat(2_000_000), '1:1 expected at most 2097152 characters, got 10000000'],
    ['2 MB of little words', '- a\n'.repeat(500_000), '60000:4 expected at most 300000 words and signs, got more'],
    ['a hundred thousand documents', '---\n'.repeat(100_000), '10001:1 expected at most 10000 documents, got more'],
  ] as const) {
    test(what, () => assert.deepEqual(faultsOf(text), [expected]));
  }

  test('nothing of what stands around an error is repeated', () => {
    for (const text of [
      'a: "x" hunter2',
      'a: hunter2: b',
      '%hunter2\n---\na',
      'a: |hunter2\n',
      'a: &hunter2 &hunter2 b',
      '- a\nhunter2\n',
      'a: "\\qhunter2"',
      '%YAML hunter2\n---\na',
    ]) {
      assert.ok(!JSON.stringify(readDocuments(text, 'f').faults).includes('hunter2'), text);
    }
  });
});

test('every error of a text is told', () => assert.equal(faultsOf(']\n'.repeat(40_000)).length, 40_000));

test('any text gives documents and faults, never an exception', () => {
  const yamlish = fc.array(
    fc.constantFrom(
      'a',
      ': ',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      ',',
      '&a ',
      '*a',
      '<<',
      '? ',
      '| ',
      '"',
      "'",
      '#',
      '---\n',
      '!t ',
      '\t',
      '%',
    ),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        yamlish.map((parts) => parts.join('')),
      ),
      (text) => {
        for (const { place } of readDocuments(text, 'f').faults) assert.ok(place.line >= 1 && place.column >= 1);
      },
    ),
    { numRuns: 500 },
  );
});
