import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { isTemplateFault, parseTemplate } from '@millrace/resources/template';

import { readBody } from './body.ts';
import { fillIn } from './template.ts';

const json = (text: string) => readBody('application/json', Buffer.from(text));

function render(text: string, body = json('{}')): string {
  const template = parseTemplate(text);
  assert.ok(!isTemplateFault(template), text);
  return fillIn(template, {
    headers: ([name = '']) => ({ 'x-github-event': 'push' })[name],
    query: ([name = '']) => ({ region: 'eu', 'a.b': 'dotted' })[name],
    body,
  });
}

describe('a template', () => {
  test('puts in headers of any case, query parameters and places in the body', () => {
    const body = json('{"order":{"id":17,"lines":[{"sku":"a"},{"sku":"b"}],"paid":true}}');
    assert.equal(render('com.github.{headers.X-GitHub-Event}', body), 'com.github.push');
    assert.equal(render('/{query.region}/{query.a.b}', body), '/eu/dotted');
    assert.equal(render('{body.order.id}-{body.order.lines.1.sku}-{body.order.paid}', body), '17-b-true');
    assert.equal(render('{body.order.lines.0}', body), '{"sku":"a"}');
    assert.equal(render('{{{body.order.id}}}', body), '{17}');
  });

  test('leaves out what is missing, and what every object inherits', () => {
    const body = json('{"a":null,"b":"text","c":[]}');
    for (const path of ['a', 'x', 'x.y.z', 'b.length', 'c.0', 'c.length', 'constructor.name', '__proto__']) {
      assert.equal(render(`[{body.${path}}]`, body), '[]', path);
    }
    assert.equal(render('[{headers.none}{query.none}]'), '[]');
    assert.equal(render('{body.__proto__.x}', json('{"__proto__":{"x":"own"}}')), 'own');
  });

  test('keeps the digits of numbers that a parser would round', () => {
    const body = json('{"id":12345678901234567890,"price":1.10,"n":-0}');
    assert.equal(render('{body.id} {body.price} {body.n}', body), '12345678901234567890 1.10 -0');
  });

  test('reads the fields of a form, of a repeated one the first', () => {
    const form = readBody(
      'application/x-www-form-urlencoded; charset=utf-8',
      Buffer.from('text=gr%C3%BCn+tea&a=1&a=2'),
    );
    assert.equal(render('{body.text} {body.a}', form), 'grün tea 1');
  });

  test('finds nothing in a body that is no JSON and no form', () => {
    assert.equal(render('[{body.a}]', readBody('text/plain', Buffer.from('{"a":1}'))), '[]');
    assert.equal(render('[{body.a}]', json('{"a":')), '[]');
    assert.equal(render('[{body.a}]', readBody(undefined, Buffer.from('{"a":1}'))), '[]');
  });
});
