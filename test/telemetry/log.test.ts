import t from 'tap';
import { Secret } from '../../lib/config/secret.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { Outcome, RunReport } from '../../lib/loop/outcome.ts';
import { type LogOptions, makeLog } from '../../lib/telemetry/log.ts';
import { makeRunLog } from '../../lib/telemetry/run-log.ts';

function capture(options: Partial<LogOptions> = {}) {
  const written: string[] = [];
  const stream = { write: (line: string) => void written.push(line) };
  const log = makeLog({ level: 'debug', format: 'json', stream, ...options });
  return { log, written, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

function report(outcome: Outcome, failures = 0): RunReport {
  return {
    loop: 'bridge',
    key: 'shard1',
    reconcileId: 'abcd1234',
    hints: [{ source: 'sentinel 127.0.0.1:1', event: '+switch-master', receivedMs: 1 }],
    outcome,
    startedMs: 2,
    durationMs: 2.71,
    failures,
    nextMs: 500,
  };
}

t.test('a run is one line with its id, its hints and its outcome', (t) => {
  const { log, lines } = capture();
  makeRunLog(log)(report({ kind: 'applied', summary: 'shard1 moved', details: { epoch: 7 } }));
  t.match(lines(), [
    {
      level: 'info',
      time: /^\d{4}-\d\d-\d\dT/,
      msg: 'applied',
      loop: 'bridge',
      key: 'shard1',
      reconcileId: 'abcd1234',
      summary: 'shard1 moved',
      details: { epoch: 7 },
      hints: ['sentinel 127.0.0.1:1 +switch-master'],
      durationMs: 2.71,
    },
  ]);
  t.end();
});

t.test('warnings of a run are logged when they change', (t) => {
  const { log, lines } = capture();
  const runLog = makeRunLog(log);
  const warned = (...warnings: string[]): Outcome => ({ kind: 'unchanged', details: { warnings } });
  for (const outcome of [warned('a'), warned('a'), warned('a', 'b'), warned(), warned('a')]) runLog(report(outcome));
  const logged = lines().filter(({ level }) => level === 'warn');
  t.strictSame(
    logged.map(({ msg, key, warnings }) => [msg, key, warnings]),
    [
      ['done with warnings', 'shard1', ['a']],
      ['done with warnings', 'shard1', ['a', 'b']],
      ['done with warnings', 'shard1', ['a']],
    ],
  );
  t.end();
});

t.test('a lasting problem is logged when it begins and when it ends', (t) => {
  const { log, lines } = capture();
  const runLog = makeRunLog(log);
  const down: Outcome = {
    kind: 'failed',
    error: new SwitchmasterError('consul-unreachable', 'Consul does not answer'),
  };
  for (const failures of [1, 2, 3]) runLog(report(down, failures));
  runLog(report({ kind: 'held', summary: 'no majority' }));
  runLog(report({ kind: 'unchanged' }));
  runLog(report({ kind: 'unchanged' }));
  t.strictSame(
    lines().map(({ level, msg }) => `${level} ${msg}`),
    ['warn failed', 'debug failed', 'debug failed', 'warn held', 'info recovered', 'debug unchanged'],
  );
  t.end();
});

t.test('an error is logged with its code, message and causes, without the fields that clients add', (t) => {
  const { log, written, lines } = capture();
  const cause = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED', request: { headers: 'hunter2' } });
  log.warn({ error: new SwitchmasterError('consul-unreachable', 'Consul does not answer', { cause }) }, 'failed');
  log.error({ error: new TypeError('x is not a function') }, 'defect');
  t.match(lines()[0]?.error, { code: 'consul-unreachable', causes: ['ECONNREFUSED: connect refused'] });
  t.equal((lines()[0]?.error as { stack?: string } | undefined)?.stack, undefined);
  t.match(lines()[1]?.error, { code: 'internal', message: 'x is not a function', stack: /log\.test/ });
  t.notMatch(written.join(''), /hunter2/);
  t.end();
});

t.test('secrets are redacted in every field', (t) => {
  const { log, written } = capture();
  log.info({ password: 'hunter2', consul: { token: 'hunter2' }, a: { b: { authorization: 'hunter2' } } }, 'x');
  log.info({ config: { wrapped: new Secret('hunter2') } }, 'y');
  t.notMatch(written.join(''), /hunter2/);
  t.equal(written.join('').match(/\[redacted\]/g)?.length, 4);
  t.end();
});

t.test('for people a line is text without colours where there is no terminal', (t) => {
  const { log, written } = capture({ format: 'pretty', environment: { NO_COLOR: '1' } });
  log.info({ key: 'shard1' }, 'applied');
  t.match(written[0], /INFO: applied \{"key":"shard1"\}/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
  t.notMatch(written[0], /\u001b/);
  t.end();
});
