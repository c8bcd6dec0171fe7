import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { facts } from '../log/facts.ts';
import { startLogger } from './logger.ts';
import type { LoggerOptions, RunningLogger } from './logger.ts';
import { sampleAttempt, sampleEntry } from './samples.ts';

/** Runs with a logger, and returns the lines that it wrote. */
function written(work: (logger: RunningLogger) => void, options: Partial<LoggerOptions> = {}): string[] {
  const lines: string[] = [];
  const logger = startLogger({
    write: (line) => lines.push(line),
    format: 'text',
    level: 'info',
    now: () => new Date(2026, 4, 6, 7, 8, 9, 10).getTime(),
    colour: false,
    ...options,
  });
  try {
    work(logger);
  } finally {
    logger.close();
  }
  return lines;
}

const FAILURE = { destination: 'http://bob:s3cret@mail.shop/?key=abc', status: 503, message: 'busy', data: 'c2VjcmV0' };

describe('the logger', () => {
  test('writes a line for people: time of day, level, message, then what belongs to it', () => {
    const lines = written((logger) => logger.info('the bus listens', { port: 8080, path: '/a b', hosts: ['x', 'y'] }));
    assert.deepEqual(lines, ['07:08:09.010 INFO  the bus listens  port=8080 path="/a b" hosts=["x","y"]\n']);
  });

  test('writes one JSON object for each record where programs read', () => {
    const [line = ''] = written((logger) => logger.warn('slow', { lag: 3, time: 'mine', level: 'mine' }), {
      format: 'json',
      now: () => 0,
    });
    assert.ok(line.endsWith('}\n'));
    assert.deepEqual(JSON.parse(line), {
      level: 'warn',
      time: '1970-01-01T00:00:00.000Z',
      message: 'slow',
      lag: 3,
      time_: 'mine',
      level_: 'mine',
    });
    assert.equal(line.match(/"time"/g)?.length, 1);
  });

  for (const format of ['text', 'json'] as const) {
    test(`leaves out what is below its level, as ${format}`, () => {
      const say = (logger: RunningLogger) => {
        logger.debug('one');
        logger.info('two');
        logger.warn('three');
        logger.error('four');
      };
      assert.equal(written(say, { format, level: 'warn' }).length, 2);
      assert.equal(written(say, { format, level: 'debug' }).length, 4);
    });
  }

  test('colours only where asked', () => {
    const [line = ''] = written((logger) => logger.error('no', { a: 1 }), { colour: true });
    assert.ok(line.includes('\u001B[31mERROR\u001B[0m'), JSON.stringify(line));
  });

  test('warns of each failed attempt: which, why, and when it is tried again', () => {
    const attempt = sampleAttempt({
      outcome: 'retrying',
      status: 503,
      failure: FAILURE,
      next: { dueAt: 1_080 + 2_500, stage: 'subscriber', tries: 1 },
    });
    const [line = ''] = written(() => facts.attempted.publish(attempt));
    assert.equal(
      line,
      '07:08:09.010 WARN  an attempt failed  route=trigger/shop/mailer event=e-1 position=7 attempt=1 status=503' +
        ' reason=busy destination="http://***@mail.shop/?key=***" next="again in 2.5 s"\n',
    );
  });

  test('says that the dead letter sink is next, and when that does not take the event either', () => {
    const lines = written(() => {
      const next = { dueAt: 0, stage: 'deadLetterSink', tries: 0 } as const;
      facts.attempted.publish(sampleAttempt({ outcome: 'retrying', status: 400, failure: FAILURE, next }));
      facts.attempted.publish(
        sampleAttempt({ outcome: 'retrying', stage: 'deadLetterSink', status: 502, failure: FAILURE, next }),
      );
      facts.attempted.publish(sampleAttempt({ outcome: 'deadLettered', stage: 'deadLetterSink', attempt: 3 }));
    });
    assert.match(lines[0] ?? '', /WARN .*status=400 .*next="to the dead letter sink"/);
    assert.match(
      lines[1] ?? '',
      /WARN {2}the dead letter sink did not take an event .*status=502 .*next="again in 0\.0 s"/,
    );
    assert.match(lines[1] ?? '', /reason=/);
    assert.match(lines[2] ?? '', /ERROR an event went to the dead letter sink/);
  });

  test('says of a dead letter how to look at it', () => {
    const [line = ''] = written(() => facts.attempted.publish(sampleAttempt({ outcome: 'parked', failure: FAILURE })));
    assert.match(line, /ERROR .*: millrace dlq show 7 --route trigger\/shop\/mailer {2}route=/);
  });

  test('tells of what went well, and of refusals, at debug and not above', () => {
    const tell = () => {
      facts.accepted.publish({ entries: [sampleEntry()], duration: 2 });
      facts.attempted.publish(sampleAttempt());
      facts.refused.publish({ path: '/a/b?token=abc', status: 404, reason: 'there is no broker' });
    };
    assert.deepEqual(written(tell), []);
    const lines = written(tell, { level: 'debug' });
    assert.deepEqual(
      lines.map((line) => /DEBUG (.*?) {2}/.exec(line)?.[1]),
      ['an event was accepted', 'an event was delivered', 'a request was refused'],
    );
    assert.ok(!lines.join('').includes('abc'));
  });

  test('never shows the data of an event', () => {
    const lines = written(
      (logger) => {
        facts.accepted.publish({ entries: [sampleEntry()], duration: 2 });
        facts.attempted.publish(sampleAttempt({ outcome: 'parked', failure: FAILURE }));
        logger.info('all of it', { event: sampleEntry().event });
      },
      { level: 'debug' },
    );
    assert.equal(lines.length, 3);
    assert.doesNotMatch(lines.join(''), /the data of|c2VjcmV0|s3cret/);
    assert.match(lines[2] ?? '', /"data":"21 bytes"/);
  });

  test('lets nobody break a line or steer the terminal', () => {
    const entry = sampleEntry();
    const event = { ...entry.event, id: 'x\n07:08 ERROR forged\u001B[2J\u0085\u202E' };
    const [line = ''] = written(() =>
      facts.attempted.publish(sampleAttempt({ outcome: 'parked' }, { ...entry, event })),
    );
    assert.equal(line.indexOf('\n'), line.length - 1);
    assert.doesNotMatch(line.slice(0, -1), /\p{C}/u);
    assert.doesNotMatch(written((logger) => logger.info('a\nb', { 'c\nd': 1 }))[0]?.slice(0, -1) ?? '\n', /\p{C}/u);
  });

  test('goes on when nobody can take a line', () => {
    const write = () => {
      throw new Error('EPIPE');
    };
    for (const format of ['text', 'json'] as const) {
      assert.doesNotThrow(() => written((logger) => logger.error('x'), { write, format }));
    }
  });

  test('leaves no listener behind', () => {
    written(() => assert.ok(facts.refused.hasSubscribers), { level: 'debug' });
    for (const channel of Object.values(facts)) assert.equal(channel.hasSubscribers, false, String(channel.name));
  });
});
