import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runCommand } from './command.ts';

/* Files that options and variables of commands name. */

const folder = t.testdir({ long: 'a'.repeat(4_097), lines: 'a\nb\n', folder: {} });
const at = (name: string): string => join(folder, name);
execFileSync('mkfifo', [at('pipe')]);

const https = ['status', '--api', 'https://127.0.0.1:1'];
const order = ['failover', 'm', '--yes', '--api', 'http://127.0.0.1:1'];

t.test('a pipe, a device or a folder in the place of a file holds no command up', async (t) => {
  const cases: readonly (readonly [readonly string[], Readonly<Record<string, string>>?])[] = [
    ...[at('pipe'), '/dev/zero'].flatMap((file): readonly (readonly [readonly string[]])[] =>
      ['check', 'status', 'doctor', 'acl', 'config'].map((command) => [[command, '--config', file]]),
    ),
    ...[at('pipe'), '/dev/zero', '/proc/self/pagemap', at('folder')].flatMap(
      (file): readonly (readonly [readonly string[], Readonly<Record<string, string>>?])[] => [
        [[...order, '--token-file', file]],
        [[...https, '--ca-file', file]],
        [[...https, '--client-cert', file, '--client-key', file]],
        [[...https], { SWITCHMASTER_CACERT: file }],
        [[...https], { SWITCHMASTER_CLIENT_CERT: file, SWITCHMASTER_CLIENT_KEY: file }],
        [['why', 'm', '--replay', file]],
        [['import', 'smitty', file]],
      ],
    ),
  ];
  for (const [argv, environment] of cases) {
    const { code, stderr } = await runCommand(argv, environment);
    t.ok(code === 1 || code === 2, `${argv}`);
    t.match(stderr, /it is a pipe or a device|EINVAL|it is a folder|is a folder/, `${argv}`);
  }
});

t.test('a token that no request can carry is refused before a request', async (t) => {
  for (const name of ['long', 'lines', 'empty']) {
    if (name === 'empty') writeFileSync(at(name), '\n');
    const { code, stderr } = await runCommand([...order, '--token-file', at(name)]);
    t.equal(code, 2);
    t.match(stderr, `${name}: no request can carry this token`);
    t.notMatch(stderr, 'aaaa');
  }
  const { stderr } = await runCommand(order, { SWITCHMASTER_API_TOKEN: 'a b' });
  t.match(stderr, 'SWITCHMASTER_API_TOKEN: no request can carry this token');
});
