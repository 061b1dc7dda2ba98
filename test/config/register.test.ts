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
