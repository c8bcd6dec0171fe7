import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compileTemplate } from './json-path-template.ts';

const LIST = {
  kind: 'List',
  items: [
    { metadata: { name: 'a', labels: { 'x.y/z': '1' } }, count: 1, ready: true },
    { metadata: { name: 'b' }, count: 3 },
  ],
};

for (const [template, wanted] of [
  ['{.kind}', 'List'],
  ['.kind', 'List'],
  ['kind: {.kind}, nothing: {.nope.nope}', 'kind: List, nothing: '],
  ['{.items[*].metadata.name}', 'a b'],
  ['{.items[0].metadata.name} {.items[-1].metadata.name}', 'a b'],
  ['{.items[0,1].count} {.items[1:].count}', '1 3 3'],
  ['{..name}', 'a b'],
  [String.raw`{.items[0].metadata.labels.x\.y/z}`, '1'],
  [String.raw`{.items[0].metadata.labels['x\.y/z']}`, '1'],
  ["{.items[1]['metadata']}", '{"name":"b"}'],
  ['{.items[?(@.metadata.name=="b")].count}', '3'],
  ['{.items[?(@.count > 1)].metadata.name}', 'b'],
  ['{.items[?(@.ready)].metadata.name}', 'a'],
  [String.raw`{range .items[*]}{.metadata.name}={.count}{"\n"}{end}`, 'a=1\nb=3\n'],
  ['{range .items[*]}{$.kind}/{.metadata.name} {end}', 'List/a List/b '],
  ['{range .items[*]}{range .metadata.labels.*}{@}{end};{end}', '1;;'],
] as const) {
  test(`${template} leads to ${JSON.stringify(wanted)}`, () => {
    assert.equal(compileTemplate(template)(LIST), wanted);
  });
}

for (const template of ['{.items[}', '{.items[*]', '{end}', '{range .items[*]}', '{.items[?(@.a==)]}', '{"open}']) {
  test(`${template} is no template`, () => {
    assert.throws(() => compileTemplate(template), SyntaxError);
  });
}
