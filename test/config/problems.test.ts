import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { loadConfig } from '../../lib/config/load.ts';
import type { Problem } from '../../lib/config/problem.ts';
import { SwitchmasterError } from '../../lib/errors.ts';

/** The problems of one file, as `line:column path: message (hint)`. */
async function problemsOf(file: string, environment: NodeJS.ProcessEnv = {}): Promise<readonly string[]> {
  const problems = await rawProblemsOf([file], environment);
  return problems.map(({ place, path: where, message, hint }) => {
    const at = place === undefined ? '' : `${place.line}:${place.column} `;
    return `${at}${where}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
  });
}

async function rawProblemsOf(paths: readonly string[], environment: NodeJS.ProcessEnv): Promise<readonly Problem[]> {
  try {
    await loadConfig({ paths, environment });
    return [];
  } catch (thrown) {
    if (!(thrown instanceof SwitchmasterError) || !thrown.code.startsWith('config-')) throw thrown;
    return thrown.details.problems as readonly Problem[];
  }
}

const cases: readonly { name: string; yaml: string; expected: readonly string[] }[] = [
  {
    name: 'an unknown section',
    yaml: 'sentinels: {}\n',
    expected: ['1:1 sentinels: unknown section (did you mean sentinel?)'],
  },
  {
    name: 'published addresses that are none',
    yaml: 'publish:\n  "shard*": { addresses: { "10.0.0.2": "a:b" } }\n',
    expected: [
      '2:40 publish["shard*"].addresses["10.0.0.2"]: "a:b" is neither an address nor a host (write host:port, [address]:port for IPv6, or a host)',
    ],
  },
  {
    name: 'a published address of no server',
    yaml: 'publish:\n  "shard*": { addresses: { "redis://x": "10.0.0.1" } }\n',
    expected: [
      '2:41 publish["shard*"].addresses["redis://x"]: "redis://x" is neither an address nor a host (write the address that Sentinel uses, as host:port, or its host alone)',
    ],
  },
  {
    name: 'an unknown key',
    yaml: 'consul:\n  adress: "127.0.0.1:8500"\n',
    expected: ['2:3 consul.adress: unknown key (did you mean address?)'],
  },
  {
    name: 'a key that resembles nothing',
    yaml: 'log:\n  colour: red\n',
    expected: ['2:3 log.colour: unknown key (known here: level, format)'],
  },
  {
    name: 'an inline token',
    yaml: 'api:\n  token: hunter2\n',
    expected: ['2:3 api.token: unknown key (did you mean tokenFile?)'],
  },
  {
    name: 'wrong types and a wrong address, all at once',
    yaml: 'sentinel:\n  addresses: [10.0.0.5:26379, "redis://x:1"]\n  masters: 7\n  tls: 3\n',
    expected: [
      '2:31 sentinel.addresses[1]: "redis://x:1" is not an address (leave the scheme out)',
      '3:12 sentinel.masters: must be a list, not a number',
      '4:8 sentinel.tls: must be true or false or a map',
    ],
  },
  {
    name: 'a duration without a unit it knows',
    yaml: 'sentinel: { resync: 5 minutes, roleDeadline: 2ms }\n',
    expected: [
      '1:21 sentinel.resync: "5 minutes" is not a duration (write 500ms, 10s, 1m30s, or a number of ms)',
      '1:46 sentinel.roleDeadline: must be between 10ms and 60000ms',
    ],
  },
  {
    name: 'a value that is not one of the choices',
    yaml: 'log: { level: loud }\n',
    expected: ['1:15 log.level: must be one of debug, info, warn, error'],
  },
  {
    name: 'an environment that cannot be a tag of DNS',
    yaml: 'environment: "my env"\n',
    expected: ['1:14 environment: must be a DNS label: letters, digits and inner dashes'],
  },
  {
    name: 'two templates with one destination',
    yaml: 'templates:\n  - { source: ./a.hbs, destination: out }\n  - { source: ./a.hbs, destination: ./x/../out }\n',
    expected: [
      '3:37 templates[1].destination: is templates[0].destination too: FOLDER/out (give each template a file of its own)',
    ],
  },
  {
    name: 'a template source that is nowhere',
    yaml: 'templates:\n  - { source: ./nowhere.hbs, destination: out }\n',
    expected: [
      '2:15 templates[0].source: there is no readable FOLDER/nowhere.hbs, and none is bundled by this name (BUNDLED)',
    ],
  },
  {
    name: 'a mistyped key in the second form of a command',
    yaml: 'templates:\n  - { source: ./a.hbs, destination: out, check: { command: ["x"], timeot: 1s } }\n',
    expected: ['2:67 templates[0].check.timeot: unknown key (did you mean timeout?)'],
  },
  {
    name: 'an API open to the network',
    yaml: 'api: { listen: "0.0.0.0:8680" }\n',
    expected: [
      '1:16 api.listen: opens the API to other machines without TLS (listen on 127.0.0.1, set api.tls, or set api.allowRemote: true)',
    ],
  },
  {
    name: 'masters that would share a DNS name',
    yaml: 'sentinel:\n  masters: [shard.1, "other*", shard-1]\n',
    expected: [
      "2:13 sentinel.masters[0]: shard-1 and shard.1 have the same name in Consul's DNS (rename one of them in Sentinel)",
    ],
  },
  {
    name: 'a Sentinel listed twice',
    yaml: 'sentinel: { addresses: ["127.0.0.1:1", "127.0.0.1:1"] }\n',
    expected: ['1:40 sentinel.addresses[1]: 127.0.0.1:1 is listed twice'],
  },
  {
    name: 'secret files that are missing or empty',
    yaml: 'consul: { tokenFile: ./none }\nsentinel: { passwordFile: ./empty }\n',
    expected: [
      '1:22 consul.tokenFile: cannot read FOLDER/none: there is no such file',
      '2:27 sentinel.passwordFile: FOLDER/empty is empty',
    ],
  },
  {
    name: 'a client certificate without its key',
    yaml: 'consul: { address: "https://c:8501", tls: { certFile: ./a.hbs } }\n',
    expected: ['1:55 consul.tls.certFile: a client certificate needs both its file and its key file'],
  },
  {
    name: 'addresses of Consul that mean nothing',
    yaml: 'consul: { address: "ftp://127.0.0.1" }\n',
    expected: [
      '1:20 consul.address: "ftp://127.0.0.1" is not an address of Consul: unknown scheme ftp (write host:port, http://host:port, https://host:port or unix:///path)',
    ],
  },
  {
    name: 'a user without a password',
    yaml: 'sentinel: { redis: { username: app } }\n',
    expected: [
      '1:32 sentinel.redis.username: has no password (set passwordFile, or SWITCHMASTER_REDIS_PASSWORD in the environment)',
    ],
  },
  { name: 'text that is not YAML', yaml: 'consul: {\n', expected: ['2:1 : not YAML: NOTE'] },
  {
    name: 'a list where sections belong',
    yaml: '- a\n',
    expected: ['1:1 : is not a map of sections (write `section: {...}`)'],
  },
  {
    name: 'a mistake inside an alias, where the alias points',
    yaml: 'sentinel:\n  tls: &t { verfy: true }\n  redis: { tls: *t }\n',
    expected: [
      '2:13 sentinel.tls.verfy: unknown key (did you mean verify?)',
      '2:13 sentinel.redis.tls.verfy: unknown key (did you mean verify?)',
    ],
  },
];

t.test('each problem has its place, its path and a hint', async (t) => {
  const folder = t.testdir({ 'a.hbs': '', empty: '\n' });
  for (const { name, yaml, expected } of cases) {
    const file = path.join(folder, 'config.yml');
    await writeFile(file, yaml);
    const found = (await problemsOf(file)).map((line) =>
      line
        .replaceAll(folder, 'FOLDER')
        .replace(/\(bundled: .*\)$/, '(BUNDLED)')
        .replace(/not YAML: Flow map .*/, 'not YAML: NOTE'),
    );
    t.strictSame(found, expected, name);
  }
});

t.test('a problem of an environment variable has its name', async (t) => {
  const file = path.join(t.testdir({ 'c.yml': '{}' }), 'c.yml');
  const environment = { CONSUL_HTTP_ADDR: 'http://x/y', CONSUL_HTTP_SSL_VERIFY: 'maybe', CONSUL_HTTP_SSL: '1' };
  t.strictSame(await problemsOf(file, environment), [
    'CONSUL_HTTP_ADDR: "http://x/y" is not an address of Consul: it must not contain a path (write host:port, http://host:port, https://host:port or unix:///path)',
    'CONSUL_HTTP_SSL_VERIFY: "maybe" is neither true nor false',
  ]);
});

t.test('an unreadable file does not hide problems of other files', async (t) => {
  const folder = t.testdir({ 'a.yml': 'bogus: 1\n', void: {} });
  const problems = await rawProblemsOf([`${folder}/none.yml`, `${folder}/void`, `${folder}/a.yml`], {});
  t.match(problems[0]?.hint, /a folder with one, after --config/);
  t.strictSame(
    problems.map(({ message }) => message.replaceAll(folder, 'FOLDER')),
    [
      'cannot read FOLDER/none.yml: there is no such file',
      'cannot read FOLDER/void: the folder has no *.yml, *.yaml or *.json file',
      'unknown section',
    ],
  );
});

t.test('a contradiction names both files', async (t) => {
  const folder = t.testdir({ 'a.yml': 'log:\n  level: info\n', 'b.yml': 'log: { level: warn }\n' });
  const [problem] = await rawProblemsOf([folder], {});
  t.equal(problem?.path, 'log.level');
  t.equal(problem?.message, `is set twice: here and at ${folder}/a.yml:2:10`);
  t.strictSame(problem?.place, { file: `${folder}/b.yml`, line: 1, column: 15 });
});

t.test('a problem in a merged list has the place in its own file', async (t) => {
  const folder = t.testdir({
    'a.yml': 'sentinel: { addresses: ["127.0.0.1:1"] }\n',
    'b.yml': 'sentinel:\n  addresses:\n    - nonsense\n',
  });
  const [problem] = await rawProblemsOf([folder], {});
  t.equal(problem?.path, 'sentinel.addresses[1]');
  t.strictSame(problem?.place, { file: `${folder}/b.yml`, line: 3, column: 7 });
});

t.test('nested aliases that expand without limit are refused', async (t) => {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (const [from, to] of [
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'd'],
    ['d', 'e'],
    ['e', 'f'],
    ['f', 'g'],
  ]) {
    lines.push(`${to}: &${to} [${Array(10).fill(`*${from}`).join(', ')}]`);
  }
  const folder = t.testdir();
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}/bomb.yml`, lines.join('\n'));
  const [problem] = await rawProblemsOf([`${folder}/bomb.yml`], {});
  t.match(problem?.message, /^not usable YAML: Excessive alias count/);
});
