import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import type { EntrySummary, EventDetail } from '@millrace/bus/admin/views';

import { post } from '../support/events.ts';
import { eventually, runMillrace, startMillrace, testFolder } from '../support/process.ts';
import type { Millrace } from '../support/process.ts';

const ROOT = join(import.meta.dirname, '../..');
const EXAMPLE = join(ROOT, 'manifests/examples/support-tickets');
const TICKET = { customer: 'Ada', subject: 'Charged twice', body: 'My card was charged twice for order 17.' };
const CREATED = 'com.example.ticket.created';
const TRIAGED = 'com.example.ticket.triaged';

// Retries of the example take their time: 1, 2 and 4 seconds.
const limits = { timeout: 30_000 };

describe('the example of support tickets, without a key', () => {
  test('a ticket wakes the agent, its triage comes back, notify says it, and the run can be seen', limits, async () => {
    using folder = testFolder();
    await using millrace = await startMillrace({ data: folder.at('data'), manifests: [EXAMPLE] });
    assert.match(millrace.stderr, /No ANTHROPIC_API_KEY: functions that want one talk to a stand-in/);
    assert.doesNotMatch(millrace.stderr, /not ready/);
    const response = await post(millrace.broker, { id: 'ticket-1', type: CREATED, data: JSON.stringify(TICKET) });
    assert.equal(response.status, 202);

    await delivered(millrace, 'ticket-1', 'trigger/default/triage');
    const ticket = await millrace.ask<EventDetail>('/api/events/ticket-1');
    assert.equal(ticket.replies.length, 1);
    const [{ position, type, cause }] = ticket.replies as [EntrySummary];
    assert.equal(type, TRIAGED);
    assert.deepEqual(cause, { position: ticket.position, route: 'trigger/default/triage' });
    const triage = await delivered(millrace, String(position), 'trigger/default/notify');
    const { category, priority, suggestedReply, customer } = JSON.parse(triage.data!) as Record<string, string>;
    assert.ok(category && priority, triage.data);
    assert.match(suggestedReply!, /^\[stand-in model\]/);
    assert.equal(customer, 'Ada');
    await millrace.says(new RegExp(`ticket-1: ${priority} ${category}`));

    const shown = await command(millrace, ['events', 'show', 'ticket-1']);
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(
      shown.stdout,
      new RegExp(
        `${ticket.position} +${CREATED} .*<- this event\n.*${position} +${TRIAGED} +reply of trigger/default/triage`,
      ),
    );
    assert.match(shown.stdout, /trigger\/default\/triage +delivered/);
    assert.match(shown.stdout, /trigger\/default\/notify +not matched/);
  });

  test('a ticket from a form comes the same way', limits, async () => {
    using folder = testFolder();
    await using millrace = await startMillrace({ data: folder.at('data'), manifests: [EXAMPLE] });
    const response = await fetch(`${millrace.url}/hooks/tickets`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'T-9', ...TICKET }),
    });
    assert.equal(response.status, 202);
    await eventually(async () => {
      const [triage] = await millrace.ask<EntrySummary[]>(`/api/events?type=${TRIAGED}`);
      return triage?.subject === 'T-9' ? triage : undefined;
    });
    await millrace.settled();
  });

  test('what is no ticket is a dead letter at once, with the reason', limits, async () => {
    using folder = testFolder();
    await using millrace = await startMillrace({ data: folder.at('data'), manifests: [EXAMPLE] });
    await post(millrace.broker, { id: 'none', type: CREATED, data: '{"subject": 1}' });
    const { attempts, failure } = await deadLetter(millrace);
    assert.equal(attempts, 1);
    assert.equal(failure.status, 400);
    assert.match(failure.message + failure.body, /data\.subject: expected a string, got number/);
  });

  test(
    'a broken agent costs a dead letter with the reason; mended and redriven, the ticket is triaged',
    limits,
    async () => {
      using folder = testFolder();
      cpSync(EXAMPLE, folder.at('manifests/examples/support-tickets'), { recursive: true });
      cpSync(join(ROOT, 'functions/examples'), folder.at('functions/examples'), { recursive: true });
      // What the agent imports is found from where the copy is.
      const agent = folder.at('functions/examples/ticket-agent/index.mjs');
      const sdk = import.meta.resolve('@anthropic-ai/sdk');
      const whole = readFileSync(agent, 'utf8').replace("'@anthropic-ai/sdk'", `'${sdk}'`);
      writeFileSync(
        agent,
        whole.replace('const ticket = ', "throw new Error('the agent is broken');\n  const ticket = "),
      );
      const flow = folder.at('manifests/examples/support-tickets/flow.yaml');
      writeFileSync(flow, readFileSync(flow, 'utf8').replace('backoffDelay: PT1S', 'backoffDelay: PT0.1S'));
      const start = () =>
        startMillrace({ data: folder.at('data'), manifests: [folder.at('manifests/examples/support-tickets')] });

      await using broken = await start();
      await post(broken.broker, { id: 'ticket-1', type: CREATED, data: JSON.stringify(TICKET) });
      const { attempts, position, failure } = await deadLetter(broken);
      assert.equal(attempts, 4, 'the first and three retries');
      assert.match(failure.message + failure.body, /the agent is broken/);
      const listed = await command(broken, ['dlq', 'list']);
      assert.match(
        listed.stdout,
        new RegExp(`${position} +trigger/default/triage +${CREATED} +4 .*the agent is broken`),
      );
      const shown = await command(broken, ['dlq', 'show', String(position)]);
      assert.match(shown.stdout, /the agent is broken/);

      writeFileSync(agent, whole);
      assert.equal((await broken.stop()).code, 0);
      await using mended = await start();
      const redriven = await command(mended, ['dlq', 'redrive', String(position)]);
      assert.equal(redriven.code, 0, redriven.stderr);
      assert.match(redriven.stdout, new RegExp(`${position} redriven`));
      const ticket = await delivered(mended, 'ticket-1', 'trigger/default/triage');
      await delivered(mended, String(ticket.replies[0]!.position), 'trigger/default/notify');
      assert.deepEqual(await mended.ask('/api/dead-letters'), []);
    },
  );
});

interface DeadLetter {
  readonly position: number;
  readonly attempts: number;
  readonly failure: { readonly status?: number; readonly message: string; readonly body?: string };
}

function deadLetter(millrace: Millrace): Promise<DeadLetter> {
  return eventually(async () => (await millrace.ask<DeadLetter[]>('/api/dead-letters'))[0]);
}

/** The event, once a route has delivered it. */
function delivered(millrace: Millrace, key: string, route: string): Promise<EventDetail> {
  return eventually(async () => {
    const event = await millrace.ask<EventDetail>(`/api/events/${key}`);
    return event.deliveries.some((it) => it.route === route && it.state === 'delivered') ? event : undefined;
  });
}

function command({ admin }: Millrace, args: readonly string[]): ReturnType<typeof runMillrace> {
  return runMillrace(args, { environment: { MILLRACE_ADMIN: admin } });
}
