import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { loadConfig } from '../../lib/config/load.ts';
import type { Config } from '../../lib/config/model.ts';
import type { Problem } from '../../lib/config/problem.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { kindsSupporting } from '../../lib/model/instance-kinds.ts';

type Setup = { testdir(): string };

/** The config with these entries in `register`. */
async function load(t: Setup, given: { readonly entries: readonly string[]; readonly environment?: object }) {
  const file = path.join(t.testdir(), 'config.yaml');
  await writeFile(file, `register:\n${given.entries.map((entry) => `  - ${entry}\n`).join('')}`);
  return loadConfig({ paths: [file], environment: { ...given.environment } });
}

async function problemsOf(t: Setup, ...entries: readonly string[]): Promise<readonly string[]> {
  try {
    await load(t, { entries });
    return [];
  } catch (thrown) {
    if (!(thrown instanceof SwitchmasterError) || thrown.code !== 'config-invalid') throw thrown;
    const problems = thrown.details.problems as readonly Problem[];
    return problems.map(
      ({ path: where, message, hint }) => `${where}: ${message}${hint === undefined ? '' : `; ${hint}`}`,
    );
  }
}

t.test('an entry cannot have what its kind does not support', async (t) => {
  t.strictSame(await problemsOf(t, '{ kind: sentinel, discover: true }'), [
    'register[0].discover: is not supported for sentinel, only for redis',
  ]);
  t.strictSame(await problemsOf(t, '{ kind: redis, address: "10.0.0.5:6379", stats: /run/x }'), [
    `register[0].stats: is not supported for redis, only for ${kindsSupporting('stats').join(' and ')}`,
  ]);
  t.strictSame(await problemsOf(t, '{ kind: haproxy, address: "10.0.0.5:6379", stats: /run/x }'), []);
});

t.test('an entry must have what its kind requires', async (t) => {
  t.strictSame(await problemsOf(t, '{ kind: redis }'), ['register[0].address: is missing; write address: "host:port"']);
  t.strictSame(await problemsOf(t, '{ kind: cluster, address: "10.0.0.5:7000" }'), [
    'register[0].name: is missing; write the name that the section cluster has for it',
  ]);
});

t.test('an entry is one process, and discovery finds its addresses itself', async (t) => {
  const entry = '{ kind: redis, address: "10.0.0.5:6379" }';
  t.strictSame(await problemsOf(t, entry, entry), ['register[1].address: is the same instance as register[0]']);
  t.strictSame(await problemsOf(t, '{ kind: redis, name: shard1, discover: true }'), [
    'register[0].name: cannot be combined with discover, which finds it; remove name or discover',
  ]);
});

t.test('discover: true means every master, and each kind has its own variable for the password', async (t) => {
  const entries = ['{ kind: redis, discover: true }', '{ kind: sentinel, address: "10.0.0.5:26379" }'];
  const environment = { SWITCHMASTER_REDIS_PASSWORD: 'one', SWITCHMASTER_SENTINEL_PASSWORD: 'two' };
  const { register }: Config = await load(t, { entries, environment });
  const [discovery] = register?.discoveries ?? [];
  t.strictSame([discovery?.masters, discovery?.discovery.hosts], [['*'], []]);
  t.equal(discovery?.access.password?.reveal(), 'one');
  t.equal(register?.instances[0]?.access.password?.reveal(), 'two');
});

t.test('the address is the path of a socket, where the kind can listen on one', async (t) => {
  const { register } = await load(t, {
    entries: [
      '{ kind: twemproxy, address: /run//nutcracker/./redis.sock }',
      '{ kind: haproxy, address: "/run/my proxy%.sock" }',
      '{ kind: redis, address: "unix:6379" }',
    ],
  });
  t.strictSame(
    register?.instances.map(({ spec: { id, address } }) => [id, address]),
    [
      ['twemproxy-unix:run:nutcracker:redis.sock', '/run/nutcracker/redis.sock'],
      ['haproxy-unix:run:my%20proxy%25.sock', '/run/my proxy%.sock'],
      ['redis-unix:6379', { host: 'unix', port: 6379 }],
    ],
  );
  const at = async (address: string, more = '') =>
    (await problemsOf(t, `{ kind: redis, address: ${JSON.stringify(address)}${more} }`)).map((problem) =>
      problem.replace('register[0].', ''),
    );
  const alone = 'write the path alone: /run/a.sock';
  t.strictSame(await at('unix:/run/a.sock'), [`address: "unix:/run/a.sock" is not an address; ${alone}`]);
  t.strictSame(await at('unix:///run/a.sock'), [`address: "unix:///run/a.sock" is not an address; ${alone}`]);
  t.strictSame(await at('/run/a.sock 0666'), [`address: "/run/a.sock 0666" ends with a mode; ${alone}`]);
  t.strictSame(await at('/run/'), [
    'address: "/run/" cannot be the path of a socket; write the absolute path of its file',
  ]);
  t.strictSame(await at(`/${'a'.repeat(107)}`), [
    'address: is 108 bytes long, but the path of a socket at most 107; use a shorter path',
  ]);
  t.strictSame(await at('run/a.sock'), [
    'address: "run/a.sock" is not an address; write host:port, [address]:port for IPv6, or the absolute path of a socket',
  ]);
  t.strictSame(await at('/run/a.sock', ', tls: true'), ['tls: has no effect on a socket; remove tls']);
  const entry = '{ kind: twemproxy, address: /run/a.sock }';
  t.strictSame(await problemsOf(t, entry, '{ kind: twemproxy, address: /run/../run/a.sock }'), [
    'register[1].address: is the same instance as register[0]',
  ]);
  t.strictSame(await problemsOf(t, '{ kind: sentinel, address: /run/a.sock }'), [
    'register[0].address: cannot be a socket for sentinel, only for redis, twemproxy, haproxy; write address: "host:port"',
  ]);
});

t.test('what Consul cannot hold, or takes for a role, is refused at its place', async (t) => {
  const of = (more: string) => problemsOf(t, `{ kind: redis, address: "10.0.0.5:6379", ${more} }`);
  const tooLong = "must have at most 512 bytes, which is Consul's limit";
  t.match(await of(`name: ${'ж'.repeat(300)}`), [`register[0].name: ${tooLong}`]);
  t.match(await of(`meta: { a: ${'ж'.repeat(300)} }`), [`register[0].meta.a: ${tooLong}`]);
  const many = Array.from({ length: 41 }, (_, i) => `k${i}: x`).join(', ');
  t.match(await of(`meta: { ${many} }`), ['register[0].meta: must have at most 40 keys']);
  for (const tag of ['master', 'Replica'])
    t.match(await of(`tags: [a, ${tag}]`), [
      `register[0].tags: contains ${tag}, which Consul's DNS takes for the role`,
    ]);
  t.strictSame(await problemsOf(t, '{ kind: haproxy, address: "10.0.0.5:6379", tags: [master] }'), []);
});
