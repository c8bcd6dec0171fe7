import { join } from 'node:path';

import type { Status } from '@millrace/bus/plan/plan';
import type { Example } from './example.ts';
import type { Receipt } from '@millrace/resources/fault';

import { CERTIFICATES } from '../admin-address.ts';
import { printable } from '../view/printable.ts';
import { summaryOf } from './receipts.ts';

export interface BannerFacts {
  readonly dataUrl: string;
  readonly adminUrl: string;
  readonly dataFolder: string;
  readonly statuses: Iterable<Status>;
  /** An event to try: that of the first Trigger which has an example, else one of its type. */
  readonly example: Example;
  readonly receipts: readonly Receipt[];
  /** The address of the stand-in for the model, when functions use it. */
  readonly standIn: string | undefined;
  /** How the command is called: `npx millrace`, or through npm in a checkout. */
  readonly command: string;
}

/** What a person sees first: where it listens, what is declared, and what to try. */
export function banner(facts: BannerFacts): string {
  const { dataUrl, adminUrl, dataFolder, command } = facts;
  const statuses = [...facts.statuses];
  const broker = statuses.find((it) => it.kind === 'Broker');
  // Where no Trigger waits at a broker, a flow is what there is to try.
  const flow = statuses.some((it) => it.kind === 'Trigger') ? undefined : statuses.find((it) => FLOWS.has(it.kind));
  const { audience } = flow ?? broker ?? {};
  const lines = [
    '',
    'Millrace is up.',
    '',
    `  events   ${dataUrl}`,
    `  admin    ${adminUrl}   (/livez /readyz?verbose /metrics)`,
    `  data     ${dataFolder}`,
    '',
    ...statuses.filter((it) => it.owner === undefined).map(statusLine),
  ];
  if (facts.receipts.length > 0) {
    lines.push('', 'Assumed where the manifests do not say it:');
    for (const line of summaryOf(facts.receipts)) lines.push(`  ${printable(line)}`);
  }
  if (facts.standIn !== undefined) {
    lines.push(
      '',
      'No ANTHROPIC_API_KEY: functions that want one talk to a stand-in on this machine.',
      'Whatever it says begins with "[stand-in model]".',
    );
  }
  lines.push(
    '',
    'Try, in another terminal:',
    '',
    ...sendLines((flow ?? broker)?.url ?? `${dataUrl}/default/default`, facts.example, {
      // What a shell needs to be let in, where somebody asks.
      certificate: dataUrl.startsWith('https:') ? join(dataFolder, CERTIFICATES.events) : undefined,
      token: audience === undefined ? undefined : `${command} token default --audience ${audience}`,
    }),
    '',
    `  ${command} tail          # follow events and deliveries`,
    `  ${command} dlq list      # look at the dead letters`,
    '',
  );
  return `${lines.join('\n')}\n`;
}

const FLOWS = new Set(['Sequence', 'Parallel', 'Choice', 'Map']);

function statusLine({ kind, namespace, name, url, conditions }: Status): string {
  const [ready] = conditions;
  const where = url === undefined ? '' : `  ${url}`;
  const state =
    ready?.status === 'True'
      ? 'ready'
      : `${ready?.status === 'False' ? 'not ready' : 'waiting'}: ${ready?.reason}: ${ready?.message}`;
  return `  ${kind.padEnd(14)} ${`${namespace}/${name}`.padEnd(30)} ${state}${where}`;
}

interface Entering {
  readonly certificate: string | undefined;
  /** A command that prints one. */
  readonly token: string | undefined;
}

function sendLines(url: string, { type, data }: Example, { certificate, token }: Entering): string[] {
  return [
    `  curl -i ${url} \\`,
    ...(certificate === undefined ? [] : [`    --cacert ${certificate} \\`]),
    ...(token === undefined ? [] : [`    -H "authorization: Bearer $(${token})" \\`]),
    "    -H 'ce-specversion: 1.0' -H 'ce-id: first-1' -H 'ce-source: /shop' \\",
    `    -H 'ce-type: ${type}' -H 'content-type: application/json' \\`,
    `    -d '${data.replaceAll("'", String.raw`'\''`)}'`,
  ];
}
