import t from 'tap';
import type { TemplateSpec } from '../../../../lib/model/template-spec.ts';
import { poolSize } from '../../../../lib/renderer/apply/shell/pool-size.ts';

type Spec = Parameters<typeof poolSize>[0][number];

t.test('as many shells wait as the templates have commands, and at most four', async (t) => {
  const command = { argv: ['true'], timeoutMs: 1_000 };
  const socket = '/run/haproxy.sock';
  const verify = (...kinds: readonly ('command' | 'tcp')[]): NonNullable<TemplateSpec['verify']> => ({
    deadlineMs: 1_000,
    probes: kinds.map((kind) => (kind === 'tcp' ? { kind, address: '/run/a.sock' } : { kind, command })),
  });
  const both: Spec = { check: command, reload: { kind: 'command', command } };
  const supervised = {
    kind: 'supervise',
    command,
    change: { kind: 'restart' },
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 1,
  } as const;
  const cases: readonly (readonly [number, readonly Spec[]])[] = [
    [0, []],
    [0, [{}, { verify: verify('tcp') }]],
    [0, [{ reload: { kind: 'signal', signal: 'SIGHUP', pidFile: '/run/a.pid' } }, { reload: supervised }]],
    [1, [{ check: command }]],
    [1, [{ reload: { kind: 'haproxy', socket, fallback: command } }]],
    [2, [both]],
    [4, [both, { verify: verify('command', 'tcp', 'command') }]],
    [4, [both, both, both]],
  ];
  for (const [size, specs] of cases) t.equal(poolSize(specs), size, JSON.stringify(specs));
});
