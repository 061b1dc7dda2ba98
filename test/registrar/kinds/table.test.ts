import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { configSchema } from '../../../lib/config/schema.ts';
import { instanceShape } from '../../../lib/http/shapes.ts';
import { instanceKind, instanceKindNames } from '../../../lib/model/instance-kinds.ts';
import { kindBehaviours } from '../../../lib/registrar/kinds/table.ts';
import { readPage } from '../../docs/pages.ts';

const root = path.resolve(import.meta.dirname, '../../..');

t.test('every kind of instance has a row, a behaviour and a file, and there are no others', async (t) => {
  t.strictSame(Object.keys(kindBehaviours).sort(), [...instanceKindNames].sort());
  const files = await readdir(path.join(root, 'lib/registrar/kinds'));
  const shared = ['kind.ts', 'proxy.ts', 'server.ts', 'table.ts'];
  t.strictSame(
    files.filter((file) => !shared.includes(file)).sort(),
    instanceKindNames.map((kind) => `${kind}.ts`).sort(),
  );
});

t.test('the config and the API take every kind', async (t) => {
  const rest = { id: 'x', name: null, address: { host: 'x', port: 1 }, socket: null, role: 'unknown', version: null };
  for (const kind of instanceKindNames) {
    const config = { register: [{ kind, name: 'x', address: '10.0.0.1:6379' }] };
    t.ok(configSchema.safeParse(config).success, `the config takes ${kind}`);
    t.ok(instanceShape.safeParse({ ...rest, kind, check: null, seenAt: null }).success, `the API shows ${kind}`);
  }
  t.notOk(configSchema.safeParse({ register: [{ kind: 'memcached', address: '10.0.0.1:11211' }] }).success);
});

// The other names of kinds have more meanings than this one.
t.test('no code outside the table decides by the name of a kind', async (t) => {
  const naming: string[] = [];
  for (const folder of ['lib', 'cmd']) {
    for (const file of await readdir(path.join(root, folder), { recursive: true })) {
      if (!/\.[jt]s$/.test(file)) continue;
      const text = await readFile(path.join(root, folder, file), 'utf8');
      if (text.includes("'twemproxy'")) naming.push(path.join(folder, file));
    }
  }
  t.strictSame(naming.sort(), ['lib/model/instance-kinds.ts', 'lib/registrar/kinds/twemproxy.ts']);
});

t.test('the documentation has every kind with its service and its title', async (t) => {
  const { text: config } = await readPage('docs/reference/config.md');
  const { text: consul } = await readPage('docs/reference/consul.md');
  const { text: checks } = await readPage('docs/reference/checks.md');
  const kinds = config.split('\n').find((line) => line.startsWith('| `register[].kind` |')) ?? '';
  for (const kind of instanceKindNames) {
    const { service, title } = instanceKind(kind);
    t.match(kinds, `\`${kind}\``, `config.md lists ${kind}`);
    const row = consul.split('\n').find((line) => line.startsWith(`| \`${service}\` |`)) ?? '';
    t.match(row, `\`${kind}\``, `consul.md has ${kind} in the row of ${service}`);
    t.match(checks, title, `checks.md names ${title}`);
  }
});
