import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Graph } from '@millrace/bus/plan/graph';

import { flowDot } from './flow-dot.ts';
import { flowMermaid } from './flow-mermaid.ts';
import { graphAround } from './flow-nodes.ts';
import { flowText } from './flow-text.ts';

// A broker whose trigger leads to a sequence, whose outcome comes back to the broker: a circle.
const CIRCLE: Graph = {
  nodes: [
    { id: 'broker/default/default', kind: 'broker', label: 'default/default' },
    { id: 'sequence/default/s', kind: 'sequence', label: 'default/s' },
    { id: 'trigger/default/t', kind: 'trigger', label: 'default/t' },
    { id: 'trigger/default/u', kind: 'trigger', label: 'default/u' },
    { id: 'sequence/default/s/one', kind: 'step', label: 'one', flow: 'sequence/default/s' },
    { id: 'results/sequence/default/s', kind: 'outcome', label: '', flow: 'sequence/default/s' },
    { id: 'function/default/agent', kind: 'function', label: 'default/agent' },
    { id: 'http://dead/', kind: 'url', label: 'http://dead/' },
    { id: 'missing/trigger/default/u', kind: 'missing', label: 'the Service default/x is not declared' },
    { id: 'function/default/lonely', kind: 'function', label: 'default/lonely' },
  ],
  edges: [
    { from: 'sequence/default/s', to: 'sequence/default/s/one' },
    { from: 'broker/default/default', to: 'trigger/default/t', label: 'type = a' },
    { from: 'trigger/default/t', to: 'sequence/default/s' },
    { from: 'trigger/default/t', to: 'broker/default/default', label: 'reply' },
    { from: 'broker/default/default', to: 'trigger/default/u' },
    { from: 'trigger/default/u', to: 'missing/trigger/default/u' },
    { from: 'sequence/default/s/one', to: 'function/default/agent' },
    { from: 'sequence/default/s/one', to: 'http://dead/', label: 'dead letter' },
    { from: 'sequence/default/s/one', to: 'results/sequence/default/s', label: 'reply' },
    { from: 'results/sequence/default/s', to: 'broker/default/default', label: 'reply' },
  ],
};

const HOSTILE: Graph = {
  nodes: [
    { id: 'http://a/?"]', kind: 'url', label: 'http://a/?"]\\;%%{\u001b' },
    { id: 'b', kind: 'function', label: '<b>`x`&amp;' },
  ],
  edges: [{ from: 'http://a/?"]', to: 'b', label: 'a|"b"\n--> c' }],
};

describe('a graph', () => {
  test('as text names what stands elsewhere, so a circle has an end', () => {
    assert.equal(
      flowText(CIRCLE),
      [
        'broker default/default',
        '├─ trigger default/t [type = a] -> sequence default/s (replies come back)',
        '└─ trigger default/u -> missing: the Service default/x is not declared',
        '',
        'sequence default/s',
        '├─ step one -> function default/agent',
        '│  └─ dead letter -> http://dead/',
        '└─ outcome -> broker default/default',
        '',
        'function default/lonely  nothing leads here',
        '',
      ].join('\n'),
    );
  });

  test('as Mermaid is a flowchart with a frame around each flow', () => {
    assert.equal(
      flowMermaid(CIRCLE),
      [
        'flowchart LR',
        '  n0[("broker default/default")]',
        '  n2["trigger default/t"]',
        '  n3["trigger default/u"]',
        '  n6[["function default/agent"]]',
        '  n7(["http://dead/"])',
        '  n8["missing the Service default/x is not declared"]',
        '  n9[["function default/lonely"]]',
        '  subgraph f0["sequence default/s"]',
        '    n1["sequence default/s"]',
        '    n4["step one"]',
        '    n5["outcome"]',
        '  end',
        '  n1 --> n4',
        '  n0 -->|"type = a"| n2',
        '  n2 --> n1',
        '  n2 -.->|"reply"| n0',
        '  n0 --> n3',
        '  n3 --> n8',
        '  n4 --> n6',
        '  n4 -.->|"dead letter"| n7',
        '  n4 -.->|"reply"| n5',
        '  n5 -.->|"reply"| n0',
        '',
      ].join('\n'),
    );
  });

  test('as Graphviz has a cluster for each flow', () => {
    const around = graphAround(CIRCLE, 'sequence/default/s');
    assert.equal(
      flowDot(around),
      [
        'digraph millrace {',
        '  rankdir=LR;',
        '  "broker/default/default" [label="broker default/default", shape=cylinder];',
        '  "trigger/default/t" [label="trigger default/t", shape=box];',
        '  "function/default/agent" [label="function default/agent", shape=component];',
        '  "http://dead/" [label="http://dead/", shape=oval];',
        '  subgraph cluster_0 {',
        '    label="sequence default/s";',
        '    "sequence/default/s" [label="sequence default/s", shape=box];',
        '    "sequence/default/s/one" [label="step one", shape=box];',
        '    "results/sequence/default/s" [label="outcome", shape=box];',
        '  }',
        '  "sequence/default/s" -> "sequence/default/s/one";',
        '  "broker/default/default" -> "trigger/default/t" [label="type = a"];',
        '  "trigger/default/t" -> "sequence/default/s";',
        '  "trigger/default/t" -> "broker/default/default" [label="reply", style=dashed];',
        '  "sequence/default/s/one" -> "function/default/agent";',
        '  "sequence/default/s/one" -> "http://dead/" [label="dead letter", style=dashed];',
        '  "sequence/default/s/one" -> "results/sequence/default/s" [label="reply", style=dashed];',
        '  "results/sequence/default/s" -> "broker/default/default" [label="reply", style=dashed];',
        '}',
        '',
      ].join('\n'),
    );
  });

  test('holds no text that ends its quotes, its line or the terminal', () => {
    assert.equal(
      flowMermaid(HOSTILE),
      [
        'flowchart LR',
        '  n0(["http://a/?#34;]#92;#59;%%{#92;u001b"])',
        '  n1[["function #60;b#62;#96;x#96;#38;amp#59;"]]',
        '  n0 -->|"a|#34;b#34;#92;n--#62; c"| n1',
        '',
      ].join('\n'),
    );
    assert.match(flowDot(HOSTILE), /label="http:\/\/a\/\?\\"]\\\\;%%\{\\\\u001b"/);
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(flowText(HOSTILE), /\u001b/);
  });

  test('around a node has what leads to it and what it leads to, up to what stands for itself', () => {
    const { nodes } = graphAround(CIRCLE, 'broker/default/default');
    assert.deepEqual(
      nodes.map(({ id }) => id),
      [
        'broker/default/default',
        'sequence/default/s',
        'trigger/default/t',
        'trigger/default/u',
        'missing/trigger/default/u',
      ],
    );
  });
});
