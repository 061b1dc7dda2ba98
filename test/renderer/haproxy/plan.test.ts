import t from 'tap';
import { planAlignment, planHaproxy } from '../../../lib/renderer/haproxy/plan.ts';

const config = (servers: string, rest = '') => `global
    maxconn 10
backend b
    server one ${servers}
    server two 10.0.0.2:2 check
${rest}`;

t.test('addresses, ports, weights and states are told to the running process', async (t) => {
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

t.test('nothing to tell where nothing but the same is said', async (t) => {
  t.match(planHaproxy(config('10.0.0.1:1 check'), config('10.0.0.1:1 check')), { kind: 'runtime', changes: [] });
});

t.test('anything else needs a reload', async (t) => {
  const before = config('10.0.0.1:1 check');
  const cases = [
    config('10.0.0.1:1 check inter 5s'),
    config('10.0.0.1:1 check', 'backend c\n    server x 10.0.0.1:1\n'),
    config('10.0.0.1:1 check').replace('maxconn 10', 'maxconn 11'),
    config('redis.example:1 check'),
    config('"10.0.0.9":1 check'),
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
