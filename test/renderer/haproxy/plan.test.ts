import fc from 'fast-check';
import t from 'tap';
import { parseHaproxyConfig, readOpenLine } from '../../../lib/model/haproxy-config.ts';
import { planAlignment, planHaproxy, planRemaining } from '../../../lib/renderer/haproxy/plan.ts';

const config = (servers: string, rest = '') => `global
    maxconn 10
backend b
    server one ${servers}
    server two 10.0.0.2:2 check
${rest}`;

const variable = (name: string) => `"\${${name}}"`;

t.test('addresses, ports, weights and states are changed in the running process', async (t) => {
  const before = config('10.0.0.1:1 check');
  const cases = [
    ['10.0.0.9:1 check', { move: { host: '10.0.0.9', port: 1 }, weight: undefined, state: undefined }],
    ['[::1]:7 check', { move: { host: '::1', port: 7 } }],
    ['10.0.0.1:1 weight 5 check', { move: undefined, weight: 5 }],
    ['10.0.0.1:1 check disabled', { move: undefined, state: 'maint' }],
    ['  10.0.0.3:1   check', { move: { host: '10.0.0.3', port: 1 } }],
  ] as const;
  for (const [server, change] of cases) {
    const plan = planHaproxy(before, config(server));
    t.match(plan, { kind: 'runtime', changes: [{ backend: 'b', server: 'one', ...change }] }, server);
    t.equal(plan.kind === 'runtime' && plan.changes.length, 1);
  }
});

t.test('nothing changes if the config is the same', async (t) => {
  t.match(planHaproxy(config('10.0.0.1:1 check'), config('10.0.0.1:1 check')), { kind: 'runtime', changes: [] });
});

t.test('anything else needs a reload', async (t) => {
  const before = config('10.0.0.1:1 check');
  const cases = [
    config('10.0.0.1:1 check inter 5s'),
    config('10.0.0.1:1 check', 'backend c\n    server x 10.0.0.1:1\n'),
    config('10.0.0.1:1 check').replace('maxconn 10', 'maxconn 11'),
    config('redis.example:1 check'),
    config(`${variable('MASTER')}:1 check`),
    config('10.0.0.1:1 check').replace('server two', 'server three'),
    config('10.0.0.1:1 check').replace('    server two 10.0.0.2:2 check\n', ''),
    config('10.0.0.1:1 check').replace('server two', 'server one'),
  ];
  for (const after of cases) t.equal(planHaproxy(before, after).kind, 'reload', after);
});

t.test('before a reload the old process moves its servers and loses those that are gone', async (t) => {
  const after = config('10.0.0.9:1 check', 'backend c\n').replace('    server two 10.0.0.2:2 check\n', '');
  const plan = planHaproxy(config('10.0.0.1:1 check'), after);
  t.match(plan, {
    kind: 'reload',
    expected: [{ server: 'one', host: '10.0.0.9', port: 1 }],
    gone: [{ backend: 'b', server: 'two' }],
  });
  const running = { backend: 'b', server: 'one', host: '10.0.0.1', port: 1, weight: 1, state: 'ready' } as const;
  const move = { host: '10.0.0.9', port: 1 };
  t.match(planAlignment([running], plan.expected), [{ backend: 'b', server: 'one', move, state: undefined }]);
  t.same(planAlignment([{ ...running, ...move }], plan.expected), [], 'a server at its address is not touched');
  t.same(planAlignment([{ ...running, server: 'other' }], plan.expected), [], 'nor one that the config lacks');
});

const own = (lines: string) => `defaults\nmode tcp\n${lines}`;

t.test("servers are read by HAProxy's grammar, whatever the columns", async (t) => {
  const forms = [
    (address: string) => `listen redis\nserver one ${address} check\n`,
    (address: string) => `\tlisten\tredis from base\n\t\t\tserver\tone\t${address}\tcheck # of redis\n`,
    (address: string) => `"listen" redis\n"server" 'one' "${address}" check\n`,
    (address: string) => `listen redis\r\nserver one ${address} check\r\n`,
    (address: string) => `backend x\nlisten redis\n  server one ipv4@${address} ch\\\\eck\n`,
    (address: string) => `.if defined(X)\nlisten other\n.endif\nlisten redis\nserver one ${address}\n`,
  ];
  for (const form of forms) {
    const plan = planHaproxy(own(form('10.0.0.1:1')), own(form('10.0.0.9:2')));
    const change = { backend: 'redis', server: 'one', move: { host: '10.0.0.9', port: 2 } };
    t.match(plan, { kind: 'runtime', changes: [change] }, form('X'));
  }
});

t.test('every session of a proxy ends whose new lines are not understood', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['listen a\nserver one redis-1:1', 'listen a\nserver one redis-2:1'],
    ['listen a\nserver-template s 1-2 10.0.0.1:1', 'listen a\nserver-template s 1-2 10.0.0.2:1'],
    [`listen a\nserver one ${variable('A')}`, `listen a\nserver one ${variable('B')}`],
    [
      `global\nsetenv A x:1\nlisten a\nserver one ${variable('A')}`,
      `global\nsetenv A y:1\nlisten a\nserver one ${variable('A')}`,
    ],
    ['listen a\ndispatch 10.0.0.1:1', 'listen a\ndispatch 10.0.0.2:1'],
    ['frontend a\ndefault_backend one', 'frontend a\ndefault_backend two'],
    ['listen a\nuse_backend one if TRUE', 'listen a\nuse_backend two if TRUE'],
    ['defaults\ndefault_backend one\nfrontend a\n', 'defaults\ndefault_backend two\nfrontend a\n'],
    [
      'listen a\n.if defined(X)\nserver one 1.1.1.1:1\n.endif',
      'listen a\n.if defined(X)\nserver one 1.1.1.2:1\n.endif',
    ],
    [
      '.if defined(X)\nlisten a\n.endif\nserver one 1.1.1.1:1',
      '.if defined(X)\nlisten a\n.endif\nserver one 1.1.1.2:1',
    ],
    [
      'listen a\nserver one 1.1.1.1:1\nserver two 1.1.1.2:1 backup',
      'listen a\nserver one 1.1.1.1:1 backup\nserver two 1.1.1.2:1',
    ],
    [
      'listen a\ndefault-server disabled\nserver one 1.1.1.1:1 enabled',
      'listen a\ndefault-server disabled\nserver one 1.1.1.1:1',
    ],
    ["listen a\nserver one '1.1.1.1:1", "listen a\nserver one '1.1.1.2:1"],
    ['listen a\nserver one 1.1.1.1:1', 'listen b\nserver one 1.1.1.1:1'],
  ];
  for (const [before, after] of cases) t.match(planHaproxy(before, after), { kind: 'reload', rerouted: ['a'] }, after);
});

t.test('sessions stay where nothing decides otherwise', async (t) => {
  const before = 'listen a\nserver one 1.1.1.1:1\nfrontend b\ndefault_backend x\nbackend x\nserver h redis-1:1\n';
  const afters = [
    `${before}listen c\nserver one 1.1.1.1:1\n`,
    before.replace('listen a\n', 'listen a\n# a comment\ntimeout client 1h\nno option tcpka\n'),
    before.replace('one 1.1.1.1:1', 'two 1.1.1.2:1'),
    `global\nmaxconn 5\n${before}`,
  ];
  for (const after of afters)
    t.match(planHaproxy(before, after), { kind: 'reload', rerouted: [], unclear: ['x'] }, after);
  t.match(planHaproxy(undefined, before), { kind: 'reload', rerouted: ['a', 'b', 'x'] }, 'nothing is known');
});

t.test('what a process has already is not changed again', async (t) => {
  const running = { backend: 'b', server: 'one', host: '10.0.0.1', port: 1, weight: 1, state: 'ready' } as const;
  const name = { backend: 'b', server: 'one' };
  const move = { host: '10.0.0.9', port: 1 };
  const change = { ...name, move, weight: 5, state: 'maint' } as const;
  t.same(planRemaining([running], [change]), [change]);
  t.same(planRemaining([{ ...running, ...move }], [change]), [{ ...change, move: undefined }]);
  t.same(planRemaining([{ ...running, ...move, weight: 5, state: 'maint' }], [change]), []);
  const weighed = { ...name, move: undefined, weight: 5, state: undefined };
  t.same(planRemaining([running], [weighed]), [weighed]);
  t.same(planRemaining([{ ...running, weight: 5 }], [weighed]), []);
  t.same(planRemaining([], [change]), [change], 'a server that it lacks fails, and a reload follows');
});

t.test('a line without signs has the words that it has before a comment', async (t) => {
  const wordsOf = (line: string) => parseHaproxyConfig(line)[0]?.lines[0]?.words;
  const line = fc.string({
    unit: fc.constantFrom('a', '-', '{', '\u00a0', ' ', '\t', '\v', '\f', '\r'),
    maxLength: 12,
  });
  fc.assert(fc.property(line, (text) => JSON.stringify(wordsOf(text)) === JSON.stringify(wordsOf(`${text}#`))));
  t.strictSame(readOpenLine('a  bc'), { words: ['a'], word: 'bc' });
  t.strictSame(readOpenLine('a bc '), { words: ['a', 'bc'], word: '' });
  t.strictSame(readOpenLine(''), { words: [], word: '' });
});

t.test('a config of many megabytes is reloaded without a comparison', async (t) => {
  const large = config('10.0.0.1:1 check', '# comment\n'.repeat(450_000));
  const plan = planHaproxy(large, large.replace('10.0.0.1', '10.0.0.9'));
  t.strictSame(plan, { kind: 'reload', expected: [], gone: [], rerouted: [], unclear: [], restored: [] });
  t.match(planHaproxy(large, config('10.0.0.1:1')), {
    kind: 'reload',
    expected: [{ server: 'one' }, { server: 'two' }],
  });
});
