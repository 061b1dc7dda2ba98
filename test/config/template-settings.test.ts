import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '../../lib/config/load.ts';

async function load(t: Test, settings: string) {
  const folder = t.testdir({ 'a.hbs': '', password: 'secret\n' });
  const path = join(folder, 'c.yml');
  await writeFile(path, `templates:\n  - source: ./a.hbs\n    destination: ./out.conf\n${settings}`);
  const { templates } = await loadConfig({ paths: [path], environment: {} });
  return { template: templates[0], folder };
}

t.test('reloads come in five forms', async (t) => {
  const forms: readonly (readonly [string, object])[] = [
    ['    reload: ["x", "y"]\n', { kind: 'command', command: { argv: ['x', 'y'] } }],
    ['    reload: { command: ["x"], timeout: 2s }\n', { kind: 'command', command: { argv: ['x'], timeoutMs: 2_000 } }],
    [
      '    reload: { signal: SIGHUP, pidFile: /run/x.pid }\n',
      { kind: 'signal', signal: 'SIGHUP', pidFile: '/run/x.pid' },
    ],
    [
      '    reload: { haproxy: { socket: /run/x.sock, fallback: ["y"] } }\n',
      { kind: 'haproxy', socket: '/run/x.sock', fallback: { argv: ['y'] } },
    ],
    [
      '    reload: { haproxy: { socket: "127.0.0.1:9999", fallback: ["y"] } }\n',
      { kind: 'haproxy', socket: { host: '127.0.0.1', port: 9999 } },
    ],
    [
      '    reload: { supervise: ["x"] }\n',
      { kind: 'supervise', command: { argv: ['x'] }, change: { kind: 'restart' } },
    ],
    [
      '    reload: { supervise: { command: ["x"], onChange: SIGUSR2 } }\n',
      { kind: 'supervise', change: { kind: 'signal', signal: 'SIGUSR2' } },
    ],
    [
      '    reload: { supervise: { command: ["x"], stopSignal: SIGUSR1, stopTimeout: 2s } }\n',
      { kind: 'supervise', stopSignal: 'SIGUSR1', stopTimeoutMs: 2_000 },
    ],
  ];
  for (const [yaml, expected] of forms) t.match((await load(t, yaml)).template?.reload, expected, yaml);
});

t.test('settings of verify, wait, guard and rolling', async (t) => {
  const { template } = await load(
    t,
    `    verify:
      redis: { address: "127.0.0.1:22121", master: shard1, passwordFile: ./password }
      tcp: "127.0.0.1:1"
      http: http://127.0.0.1:2/health
      command: ["true"]
      deadline: 2s
    wait: { min: 10ms, max: 1s }
    guard: { minServers: 2, maxLoss: 0.5, onEmpty: follow }
    rolling: { limit: 2, group: proxies }
`,
  );
  t.match(template, {
    verify: {
      deadlineMs: 2_000,
      probes: [
        { kind: 'tcp', address: { port: 1 } },
        { kind: 'redis', address: { port: 22121 }, master: 'shard1' },
        { kind: 'http', url: 'http://127.0.0.1:2/health' },
        { kind: 'command', command: { argv: ['true'] } },
      ],
    },
    wait: { minMs: 10, maxMs: 1_000 },
    guard: { minServers: 2, maxLoss: 0.5, onEmpty: 'follow' },
    rolling: { limit: 2, group: 'proxies' },
  });
  const [, probe] = template?.verify?.probes ?? [];
  t.equal(probe?.kind === 'redis' && probe.password?.reveal(), 'secret');
  t.notMatch(JSON.stringify(template), /secret/);
  t.match((await load(t, '    verify: { redis: "127.0.0.1:22121" }\n')).template?.verify?.probes, [
    { kind: 'redis', address: { host: '127.0.0.1', port: 22121 } },
  ]);
});

t.test('a seed is written once', async (t) => {
  t.equal((await load(t, '    seed: true\n')).template?.upkeep, 'seed');
  t.equal((await load(t, '    seed: false\n')).template?.upkeep, 'kept');
  await t.rejects(load(t, '    seed: true\n    verify: { tcp: "127.0.0.1:1" }\n'), {
    message: /verify: cannot be combined with seed: true/,
  });
});

t.test('a file that Sentinel owns can only be seeded', async (t) => {
  const path = (seed: string) => {
    const text = `templates:\n  - { source: sentinel.conf.hbs, destination: ./sentinel.conf${seed} }\n`;
    return join(t.testdir({ 'c.yml': text }), 'c.yml');
  };
  await t.rejects(loadConfig({ paths: [path('')], environment: {} }), {
    message: /templates\[0\]\.seed: must be true: Sentinel owns this file .*seed: true/s,
  });
  const { templates } = await loadConfig({ paths: [path(', seed: true')], environment: {} });
  t.match(templates, [{ upkeep: 'seed', mode: 0o600 }], 'and read by nobody else');
  const chosen = await loadConfig({ paths: [path(', seed: true, mode: "0640"')], environment: {} });
  t.match(chosen.templates, [{ mode: 0o640 }]);
});

t.test('a verify without probes and a wait with max below min are problems', async (t) => {
  await t.rejects(load(t, '    verify: { deadline: 2s }\n'), { message: /verify: contains no check/ });
  await t.rejects(load(t, '    wait: { min: 2s, max: 1s }\n'), { message: /wait\.max: must not be less than min/ });
  await t.rejects(load(t, '    reload: { signal: SIGHUP }\n'), {
    message: /reload: must have signal and pidFile together/,
  });
  await t.rejects(load(t, '    reload: { command: [x], supervise: [y] }\n'), {
    message: /reload: must have one of command/,
  });
  await t.rejects(load(t, '    reload: { haproxy: { socket: /x } }\n'), {
    message: /reload\.haproxy\.fallback: must be a list or a map/,
  });
});

t.test('what is no URL is reported as such, and a URL has no user', async (t) => {
  for (const [url, message] of [
    ['not a url', /verify\.http/],
    ['http://', /verify\.http/],
    ['http://user:secret@127.0.0.1/', /must not contain a user/],
  ] as const) {
    await t.rejects(load(t, `    verify: { http: "${url}" }\n`), { code: 'config-invalid', message });
  }
});
